/** One insert a request; what is answered 201 is a committed row. */
import { insertOrder, openPool } from './order.js'
import { serve } from './process.js'

const pool = openPool()
await serve((order) => insertOrder(pool, order), () => pool.end(), 201)
