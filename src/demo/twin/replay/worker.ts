import { type FromRace, Race, type ToRace } from './race';

const race = new Race((message: FromRace) => postMessage(message));

addEventListener('message', ({ data }: MessageEvent<ToRace>) => race.take(data));
