import { PHI3V } from '../images/phi3v';
import type { ImageInput } from '../step-engine';
import { IMAGE_FUNCTION, libraryHas, type MlcPipeline } from './internals';

/**
 * How a loaded model takes images: undefined where its library has no function for them, and a sentence
 * where it has one, but WebLLM (0.2.86) no rule for what to call it with.
 */
export function imageInputOf(pipeline: MlcPipeline): ImageInput | string | undefined {
  if (!libraryHas(pipeline, [IMAGE_FUNCTION])) return undefined;
  const { model_type: type, model_config: config } = pipeline.config;
  if (type !== 'phi3_v') {
    return `Its library has a function for images, but WebLLM does not know how to call it for a model of type ${type}; so it takes text only.`;
  }
  const before = config?.vision_start_token_id ?? config?.boi_token_index;
  const after = config?.vision_end_token_id ?? config?.eoi_token_index;
  return {
    ...PHI3V,
    before: typeof before === 'number' ? [before] : [],
    after: typeof after === 'number' ? [after] : [],
    seesPixels: true,
  };
}
