/** One JSON object in pieces: `head`, then each list page by page, so that no list is ever held as a whole. */
export async function * documentOf (head: object, lists: Record<string, AsyncIterable<readonly object[]>>): AsyncGenerator<string> {
  yield JSON.stringify(head).slice(0, -1)
  for (const [name, pages] of Object.entries(lists)) {
    yield `,"${name}":[`
    let comma = ''
    for await (const page of pages) {
      if (page.length === 0) continue
      yield comma + page.map((item) => JSON.stringify(item)).join(',')
      comma = ','
    }
    yield ']'
  }
  yield '}'
}
