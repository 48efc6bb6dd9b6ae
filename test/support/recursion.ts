/** Functions that call themselves, alone or through others of their file. Calls across files are not followed. */
import ts from 'typescript'

type Graph = Map<string, Set<string>>

/** The name by which a declaration is called in its file: `draw`, `#read`; undefined for what has none. */
function nameOf(node: ts.Node): string | undefined {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) return node.name?.getText()
  if (!ts.isVariableDeclaration(node) && !ts.isPropertyDeclaration(node)) return undefined
  const value = node.initializer
  const isFunction = value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionExpression(value))
  return isFunction ? node.name.getText() : undefined
}

/** `draw` of `draw(...)` and of `this.draw(...)`. */
function calledName({ expression }: ts.CallExpression | ts.NewExpression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text
  if (!ts.isPropertyAccessExpression(expression)) return undefined
  return expression.expression.kind === ts.SyntaxKind.ThisKeyword ? expression.name.text : undefined
}

function callsOf(file: ts.SourceFile): Graph {
  const graph: Graph = new Map()
  const visit = (node: ts.Node, inside: string | undefined): void => {
    const name = nameOf(node) ?? inside
    if (ts.isCallExpression(node) && name !== undefined) {
      const called = calledName(node)
      if (called !== undefined) graph.set(name, (graph.get(name) ?? new Set()).add(called))
    }
    ts.forEachChild(node, child => visit(child, name))
  }
  visit(file, undefined)
  return graph
}

function reaches(graph: Graph, from: string): boolean {
  const seen = new Set<string>()
  const open = [...(graph.get(from) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === from) return true
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(graph.get(next) ?? []))
  }
  return false
}

/** Names of the functions of a file that call themselves. */
export function recursive(path: string, text: string): readonly string[] {
  const graph = callsOf(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))
  return [...graph.keys()].filter(name => reaches(graph, name)).sort()
}

/** Names of calls that get a whole list as arguments: `push` of `all.push(...found)`. */
export function spreadCalls(path: string, text: string): readonly string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.arguments.some(ts.isSpreadElement)) {
      const { expression } = node
      found.push(ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText())
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))
  return found
}
