import { inTime } from '../time/in-time.js'

/** Milliseconds for a service to let us in, and for each answer after it. */
export const ANSWER_MS = 3000
/** For all that is asked of one service. The services are asked at the same time. */
export const SERVICE_MS = 9000

/** @throws SilenceError when it takes longer than an answer may */
export async function answered<T> (asking: Promise<T>): Promise<T> {
  return await inTime(asking, ANSWER_MS)
}
