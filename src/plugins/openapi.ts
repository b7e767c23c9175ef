import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { version } from './logger.js'

/** OpenAPI 3.1 from the routes' own schemas, at /docs, /docs/json and /docs/yaml; DOCS=off leaves all three out. */
export const openapiPlugin = fp(async (app) => {
  if (!app.config.docs) return
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Comanda', version, description: 'An order service that never loses an order and never books one twice.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
      tags: [{ name: 'orders' }, { name: 'users' }, { name: 'operations' }]
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => typeof json.$id === 'string' ? json.$id : `def-${index}` }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // Over plain http from another machine it would send the browser to https for the page's own scripts.
    transformStaticCSP: (header) => header.replace(/upgrade-insecure-requests;?/, '')
  })
}, { name: 'openapi', dependencies: ['config'] })
