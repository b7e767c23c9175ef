import { type Address, told } from './address.js'

/** Why a service cannot be reached, and what to do. */
export interface Trouble { found: string, advice: string }
export type Explain = (address: Address) => Trouble

const silent: Explain = ({ at, tls, variable }) => ({
  found: `no answer from ${at} in time: it hangs${tls ? ', it speaks no TLS' : ''}, or something on the way swallows the packets`,
  advice: `see whether the service is alive, and firewall, host and port in ${variable}`
})
const closed: Explain = ({ at, tls, variable }) => ({
  found: `${at} closed the connection without a word: another service listens there, or one that ${tls ? 'speaks no TLS' : 'wants TLS'}`,
  advice: `correct host, port or ${tls ? 'the TLS setting' : 'TLS'} in ${variable}`
})
const noRoute: Explain = ({ at, variable }) => ({ found: `there is no way to ${at} on the network`, advice: `correct the host in ${variable}, or the network` })
const noTls: Explain = ({ at, variable }) => ({ found: `${at} speaks no TLS, and ${variable} asks for it`, advice: `turn TLS on at the service, or ask for none in ${variable}` })
const untrusted: Explain = ({ at }) => ({
  found: `the TLS certificate of ${at} is not signed by anybody this machine trusts`, advice: 'set NODE_EXTRA_CA_CERTS to the file of the authority that signed it'
})

const BY_CODE: Record<string, Explain> = {
  SILENCE: silent,
  ETIMEDOUT: silent,
  ECONNREFUSED: ({ at, variable }) => ({ found: `refused: nothing listens at ${at}`, advice: `start the service, or correct host and port in ${variable}` }),
  ENOTFOUND: ({ host, variable }) => ({ found: `no host is called ${host}`, advice: `correct the host in ${variable}` }),
  EAI_AGAIN: ({ host }) => ({ found: `the name ${host} cannot be looked up: the name server does not answer`, advice: 'see to the name service of this machine' }),
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ECONNRESET: closed,
  EPIPE: closed,
  CLOSED: closed,
  EPROTO: noTls,
  NO_TLS: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: ({ at }) => ({ found: `the TLS certificate of ${at} has expired`, advice: 'renew it, or set the clock of this machine' }),
  ERR_TLS_CERT_ALTNAME_INVALID: ({ at, variable }) => ({ found: `the TLS certificate of ${at} is for another name`, advice: `name the host in ${variable} as its certificate does` }),
  WRONG_PASSWORD: ({ at, user, variable }) => ({ found: `${at} refuses user ${user} with this password`, advice: `correct user and password in ${variable}` })
}

/** @param code as Node, a service's own table or SQLSTATE names it @param own what this service says by codes of its own */
export function explain (code: string | undefined, error: unknown, address: Address, own: Record<string, Explain> = {}): Trouble {
  const known = own[code ?? ''] ?? BY_CODE[code ?? '']
  if (known) return known(address)
  return { found: `${address.at} cannot be used: ${told(error, address)}`, advice: 'see the log of the service' }
}
