import type { Sweep } from './sweep.js'
import { apis } from './sweeps/apis.js'
import { batch } from './sweeps/batch.js'
import { connections } from './sweeps/connections.js'
import { table } from './sweeps/table.js'
import { workers } from './sweeps/workers.js'

export const SWEEPS: readonly Sweep[] = [connections, batch, table, workers, apis]
