import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { UserError } from '../users/errors.js'

type Pieces = AsyncIterable<string>

declare module 'fastify' {
  interface FastifyInstance {
    /** Milliseconds that a reader may take for one piece, and for all of it. */
    exportLimits: { pieceMs: number, wholeMs: number }
    /** The pieces of an export, the only one of this user; it is cut when it is not read. @throws UserError `export_running` */
    oneExport (request: FastifyRequest, reply: FastifyReply, begin: () => Promise<Pieces>): Promise<Pieces>
  }
}

/** Exports are long answers: one at a time for each user in all apis, and none waits for its reader for ever. */
export const exportsPlugin = fp(async (app) => {
  const { revocations } = app
  // No longer than an idle connection lives anyway (src/http/server.ts).
  const limits = { pieceMs: 20_000, wholeMs: 600_000 }
  app.decorate('exportLimits', limits)
  app.decorate('oneExport', async (request: FastifyRequest, reply: FastifyReply, begin: () => Promise<Pieces>) => {
    if (request.method === 'HEAD') return await begin()
    // What ends by no word of ours is over when no export can run any more.
    const running = await app.counts.take([{ key: `export:${app.callerOf(request).user_id}`, most: 1 }], limits.wholeMs)
    if (!running.granted) throw new UserError('export_running')
    const caller = app.callerOf(request)
    const isOver = async () => revocations.isRevoked(caller) && await revocations.isOver(caller)
    let over = false
    const end = () => {
      if (!over) void running.giveBack()
      over = true
    }
    reply.raw.once('close', end)
    try {
      return watched(await begin(), { ...limits, isOver }, () => request.raw.destroy(), end)
    } catch (error) {
      end()
      throw error
    }
  })
}, { name: 'exports', dependencies: ['redis', 'revocations', 'auth'] })

interface Watch { pieceMs: number, wholeMs: number, isOver: () => Promise<boolean> }

/** Cut off when it is not read in time, or its reader's session was ended. */
async function * watched (pieces: Pieces, { pieceMs, wholeMs, isOver }: Watch, cut: () => void, end: () => void): AsyncGenerator<string> {
  const whole = setTimeout(cut, wholeMs).unref()
  try {
    for await (const piece of pieces) {
      if (await isOver()) return cut()
      const unread = setTimeout(cut, pieceMs).unref()
      try {
        yield piece
      } finally {
        clearTimeout(unread)
      }
    }
  } finally {
    clearTimeout(whole)
    end()
  }
}
