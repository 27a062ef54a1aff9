/** What a client loads only for a request that cannot cross as it is. */
export { plain } from '../server/plain';
