/**
 * One Tempo's addresses for every script of a page.
 *
 * @module tempo-llm/service-worker
 */
export {
  type FetchEventLike,
  type HandleOptions,
  handleTempoRequests,
  type ServiceWorkerScope,
} from './handle';
export { offerToServiceWorker } from './offer';
export type { PageClient, PageClients } from './pages';
