/** Server-sent events, as the HTML Living Standard reads them (section 9.2.6). */
export interface Frame {
  /** Of the last frame that named one; empty before the first. */
  id: string
  event: string
  data: string
}

/** Reads a stream in whatever pieces it comes. */
export class EventStreamParser {
  /** Milliseconds to wait before connecting again, where the stream said so. */
  retry: number | null = null
  #rest = ''
  #id = ''
  #event = ''
  #data: string[] = []

  /** @param text the next piece, decoded @returns the frames that it completes */
  push (text: string): Frame[] {
    // Of a CR at the end it is not known yet whether an LF follows.
    const whole = this.#rest + text
    const held = whole.endsWith('\r') ? 1 : 0
    const lines = whole.slice(0, whole.length - held).split(/\r\n|\n|\r/)
    this.#rest = lines.pop()! + '\r'.repeat(held)
    return lines.flatMap((line) => this.#line(line))
  }

  #line (line: string): Frame[] {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return [] // a comment
    const [field, value] = colon === -1 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
    return []
  }

  #dispatch (): Frame[] {
    const frame = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') }
    const empty = this.#data.length === 0
    this.#event = ''
    this.#data = []
    return empty ? [] : [frame]
  }
}
