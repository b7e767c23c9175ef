/** What becomes of a message once its batch is through; the consumer alone acts on it. */
export type Verdict =
  | 'ack' // all of it is booked, rejected or parked, and committed
  | 'hold' // part of it is of a newer schema: it stays unacked until a newer worker takes it
