/**
 * A NestJS gateway on the Fastify adapter and a RabbitMQ microservice. `emit`, not `send`: on a persistent queue its
 * promise is the broker's confirm, so 202 says what Comanda's says; with `send` every request would also wait for the
 * insert and its reply.
 */
import 'reflect-metadata'
import { Body as Payload, Controller, HttpCode, Inject, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type ClientProxy, ClientsModule, Ctx, EventPattern, type MicroserviceOptions, Payload as Event, type RmqContext, Transport } from '@nestjs/microservices'
import { FastifyAdapter, type NestFastifyApplication, RouteSchema } from '@nestjs/platform-fastify'
import type { AddressInfo } from 'node:net'
import type { Channel, Message } from 'amqplib'
import { lastValueFrom } from 'rxjs'
import { OrderBody, OrderResponse } from '../../../src/routes/orders/schemas.js'
import { type Body, insertOrder, newOrder, openPool, type Order } from './order.js'
import { role, started } from './process.js'

const LOGGER = { logger: ['error', 'warn'] as Array<'error' | 'warn'> }

const rabbit = {
  urls: [process.env.AMQP_URL!],
  queue: 'alternative.nestjs-rmq',
  persistent: true,
  queueOptions: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
  socketOptions: { connectionOptions: { noDelay: true } }
}

@Controller()
class Gateway {
  readonly #bookings: ClientProxy

  constructor (@Inject('BOOKINGS') bookings: ClientProxy) {
    this.#bookings = bookings
  }

  @Post('orders')
  @HttpCode(202)
  @RouteSchema({ body: OrderBody, response: { 202: OrderResponse } })
  async place (@Payload() body: Body): Promise<Order> {
    const order = newOrder(body)
    await lastValueFrom(this.#bookings.emit('order.placed', order))
    return order
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'BOOKINGS', transport: Transport.RMQ, options: rabbit }])],
  controllers: [Gateway]
})
class GatewayModule {}

const pool = openPool()

@Controller()
class Bookings {
  @EventPattern('order.placed')
  async book (@Event() order: Order, @Ctx() context: unknown): Promise<void> {
    await insertOrder(pool, order)
    const delivery = context as RmqContext
    const channel = delivery.getChannelRef() as Channel
    channel.ack(delivery.getMessage() as Message)
  }
}

@Module({ controllers: [Bookings] })
class BookingsModule {}

async function api (): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule, new FastifyAdapter(), LOGGER)
  await app.listen(0, '127.0.0.1')
  started({ port: (app.getHttpServer().address() as AddressInfo).port }, () => app.close())
}

async function worker (): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(BookingsModule, {
    transport: Transport.RMQ,
    options: { ...rabbit, noAck: false, prefetchCount: 100 },
    ...LOGGER
  })
  await app.listen()
  started({ ready: true })
}

await (role === 'api' ? api() : worker())
