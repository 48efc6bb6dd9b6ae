/** `sync`: everything that was done in a mount becomes durable, data too. */
import { noArguments, type RequestKind } from '../request.ts'

export const sync: RequestKind<object, object> = { name: 'sync', arguments: noArguments, answer: () => ({}) }
