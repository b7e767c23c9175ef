import { apis } from './apis.js'
import { batch } from './batch.js'
import { connections } from './connections.js'
import type { Sweep } from './sweep.js'
import { table } from './table.js'
import { workers } from './workers.js'

export const SWEEPS: readonly Sweep[] = [connections, batch, table, workers, apis]
