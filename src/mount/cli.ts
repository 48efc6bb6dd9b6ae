#!/usr/bin/env node
/** The executable `mount.hn4`. */
import { main } from '../console/run.ts'
import { mountHelper } from './helper-command.ts'

await main('mount.hn4', mountHelper)
