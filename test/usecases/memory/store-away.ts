import { StoreError } from '../../../src/store/failures.js'

/** As the tables answer that cannot be asked: nothing was written. */
export function storeAway (): StoreError {
  return new StoreError('unavailable', 'refused', new Error('connect ECONNREFUSED'))
}
