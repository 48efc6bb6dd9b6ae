#!/usr/bin/env node
/** The executable `mkfs.hn4`. */
import { main } from '../src/console/run.ts'
import { mkfs } from './command.ts'

await main('mkfs.hn4', mkfs)
