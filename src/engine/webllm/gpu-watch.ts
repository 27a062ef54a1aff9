import { type StreamCounts, streamCommands } from './command-stream';
import { fixKernel } from './kernel-fix';
import { OwnKernels } from './own-kernels';

/** What can be learnt of the GPU device that WebLLM makes for itself. */
export interface GpuWatch {
  /** The last device made, if any. */
  readonly device: GPUDevice | undefined;
  readonly adapter: GPUAdapter | undefined;
  /** Kernels whose text was put right: how many, and which. */
  readonly fixedKernels: number;
  readonly fixedNames: readonly string[];
  /** What the device was asked for, where its commands are streamed. */
  readonly commands: Readonly<StreamCounts> | undefined;
  /** Kernels that may stand in for the library's, where commands are streamed. */
  readonly ownKernels: OwnKernels | undefined;
  /** Adapters asked for from now on are left alone. */
  stop(): void;
}

export interface WatchOptions {
  /** Default: true. */
  fixKernels?: boolean;
  /** Default: true. */
  streamCommands?: boolean;
}

/**
 * Watches which device WebLLM makes, puts right the kernels that it compiles on it, and streams its
 * commands. WebLLM asks `navigator.gpu` itself and hands its device to nobody, so the way there is
 * through `requestAdapter`.
 */
export function watchGpu(gpu: GPU, options: WatchOptions = {}): GpuWatch {
  let device: GPUDevice | undefined;
  let adapter: GPUAdapter | undefined;
  let commands: Readonly<StreamCounts> | undefined;
  let ownKernels: OwnKernels | undefined;
  let fixedKernels = 0;
  const fixedNames = new Set<string>();

  const watchDevice = (made: GPUDevice) => {
    device = made;
    const create = made.createShaderModule;
    if (options.fixKernels !== false) {
      made.createShaderModule = (descriptor) => {
        const { code, name } = fixKernel(descriptor.code);
        if (name !== undefined) {
          fixedKernels++;
          fixedNames.add(name);
        }
        return create.call(made, { ...descriptor, code });
      };
    }
    if (options.streamCommands === false) return;
    const stream = streamCommands(made);
    commands = stream.counts;
    ownKernels = new OwnKernels(made, (library, own) => stream.substitute(library, own));
  };
  const watchAdapter = (found: GPUAdapter) => {
    adapter = found;
    const request = found.requestDevice;
    found.requestDevice = async (descriptor) => {
      const made = await request.call(found, descriptor);
      watchDevice(made);
      return made;
    };
  };

  const requestAdapter = gpu.requestAdapter;
  const own = Object.hasOwn(gpu, 'requestAdapter');
  gpu.requestAdapter = async (request) => {
    const found = await requestAdapter.call(gpu, request);
    if (found !== null) watchAdapter(found);
    return found;
  };
  return {
    get device() {
      return device;
    },
    get adapter() {
      return adapter;
    },
    get fixedKernels() {
      return fixedKernels;
    },
    get fixedNames() {
      return [...fixedNames];
    },
    get commands() {
      return commands;
    },
    get ownKernels() {
      return ownKernels;
    },
    stop() {
      if (own) gpu.requestAdapter = requestAdapter;
      else Reflect.deleteProperty(gpu, 'requestAdapter');
    },
  };
}
