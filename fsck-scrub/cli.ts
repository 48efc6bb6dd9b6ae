#!/usr/bin/env node
/** The executable `fsck.hn4`. */
import { main } from '../src/console/run.ts'
import { fsck } from './command.ts'

await main('fsck.hn4', fsck)
