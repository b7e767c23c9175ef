// Part of `npm run build`, and of what runs from a checkout: the operators' page, bundled into files that are named by their contents.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const console = join(dirname(dirname(fileURLToPath(import.meta.url))), 'console')

/** @param target a folder of its own, made anew */
export async function buildConsole (target) {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  const { metafile } = await build({
    entryPoints: [join(console, 'main.tsx'), join(console, 'icon.svg')],
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    entryNames: '[name]-[hash]',
    metafile: true,
    logLevel: 'error'
  })
  const named = Object.keys(metafile.outputs).map((path) => basename(path))
  const page = readFileSync(join(console, 'index.html'), 'utf8').replace(/\{\{(\w+)\.(\w+)\}\}/g, (_all, name, kind) => named.find((file) => file.startsWith(`${name}-`) && file.endsWith(`.${kind}`)))
  writeFileSync(join(target, 'index.html'), page)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildConsole(join(dirname(console), 'dist/console'))
