import type { FastifyInstance } from 'fastify'

/** Every route as Fastify's own tree tells it: "GET /orders/{order_id}", "GET /docs/static/*". */
export function routesOf (app: FastifyInstance): string[] {
  const path: string[] = []
  return app.printRoutes().split('\n').filter(Boolean).flatMap((text) => {
    const [, indent = '', segment = '', methods] = /^([│ ]*)[├└]── (.*?)(?: \((.*)\))?$/.exec(text) ?? []
    path.splice(indent.length / 4, Infinity, segment)
    const url = path.join('').replace(/:(\w+)/g, '{$1}')
    return methods === undefined ? [] : methods.split(', ').map((method) => `${method} ${url}`)
  })
}
