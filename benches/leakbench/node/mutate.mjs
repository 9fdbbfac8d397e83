// Runs the JavaScript and TypeScript tools over a list of jobs.
//
//     node mutate.mjs JOBS RESULTS
//
// JOBS has one JSON object a line: `id`, `op` (a key of OPERATIONS), `input` and `output` (paths), `extension`
// (`.ts`), `seed` (a number below 2^32) and what the operation asks for besides. RESULTS gets one a line: `id`, and
// `error` where the tool failed; what an operation returns (`inputs` of a bundle, `units`) stands beside it. A tool
// that fails on one file says so and the next file is taken. Nothing that is read is run.

import fs from "node:fs";
import path from "node:path";
import esbuild from "esbuild";
import swc from "@swc/core";
import { minify as terser } from "terser";
import ts from "typescript";
import * as prettier from "prettier";
import obfuscator from "javascript-obfuscator";

const MIN_UNITS = 4; // fewer statements or members than this are not worth shuffling
const MIN_BYTES_IN_BUNDLE = 100; // a file of which less is left in a bundle is not said to be in it

/** A small generator of numbers in [0, 1), the same on every machine (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffle(list, next) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

const isTypeScript = (extension) => /^\.[mc]?tsx?$/.test(extension);
const loader = (extension) => (/^\.[mc]?ts$/.test(extension) ? "ts" : extension === ".tsx" ? "tsx" : "jsx");

/** Types and JSX gone, the rest as it was. */
async function plain(text, extension) {
  if (!isTypeScript(extension) && extension !== ".jsx") return text;
  return (await esbuild.transform(text, { loader: loader(extension), target: "esnext" })).code;
}

const swcParser = (extension) =>
  isTypeScript(extension)
    ? { syntax: "typescript", tsx: extension === ".tsx", decorators: true }
    : { syntax: "ecmascript", jsx: true, decorators: true };

async function swcTo(text, extension, target, minify = false) {
  const jsc = { parser: swcParser(extension), target, transform: { legacyDecorator: true } };
  if (minify) jsc.minify = { compress: { passes: 2, toplevel: true }, mangle: { toplevel: true } };
  return (await swc.transform(text, { jsc, minify, swcrc: false, configFile: false, isModule: "unknown" })).code;
}

function tscTo(text, extension, target) {
  const compilerOptions = {
    target, module: ts.ModuleKind.ESNext, allowJs: true, jsx: ts.JsxEmit.React, experimentalDecorators: true,
    downlevelIteration: true, ignoreDeprecations: "5.0",
  };
  return ts.transpileModule(text, { compilerOptions, fileName: "file" + extension }).outputText;
}

async function es5(text, extension, seed) {
  return seed % 2 ? swcTo(text, extension, "es5") : tscTo(text, extension, ts.ScriptTarget.ES5);
}

async function terserOf(text, options = {}) {
  const module = /^\s*(import|export)\b/m.test(text);
  const given = { module, compress: { passes: 2, toplevel: true }, mangle: { toplevel: true }, ...options };
  return (await terser(text, given)).code;
}

function parse(text, extension) {
  return ts.createSourceFile("file" + extension, text, ts.ScriptTarget.Latest, true);
}

/** The list of things that may change places: top-level statements, or the members of the one class that is the file. */
function units(file) {
  const statements = file.statements.filter((one) => !ts.isImportDeclaration(one));
  const lists = [statements];
  const visit = (node, depth) => {
    if (ts.isClassLike(node) && node.members.length) lists.push([...node.members]);
    // A wrapper that is a call of a function is looked into: UMD, AMD.
    if (ts.isFunctionExpression(node) && node.body && depth < 6) lists.push([...node.body.statements]);
    if (depth < 8) ts.forEachChild(node, (child) => visit(child, depth + 1));
  };
  visit(file, 0);
  const size = (list) => (list.length ? list[list.length - 1].end - list[0].pos : 0);
  return lists.filter((list) => list.length >= MIN_UNITS).sort((one, other) => size(other) - size(one));
}

function reordered(text, extension, seed) {
  const file = parse(text, extension);
  const [list] = units(file);
  if (!list) throw new Error("too few statements");
  const next = random(seed);
  const order = shuffle([...list], next);
  let out = "";
  let at = 0;
  list.forEach((node, place) => {
    out += text.slice(at, node.pos) + text.slice(order[place].pos, order[place].end);
    at = node.end;
  });
  return out + text.slice(at);
}

/** From the first top-level statement (or member) that begins in the second half. */
function split(text, extension) {
  const [list] = units(parse(text, extension));
  if (!list) throw new Error("too few statements");
  const middle = (list[0].pos + list[list.length - 1].end) / 2;
  const first = list.find((node) => node.pos >= middle);
  if (!first) throw new Error("one statement is most of the file");
  // What precedes it on the line where the one before ends is not its own.
  const begin = first.getFullStart() + text.slice(first.getFullStart()).match(/^[ \t]*\r?\n|/)[0].length;
  return { text: text.slice(begin, list[list.length - 1].end) + "\n", first: lineOf(text, begin), last: lineOf(text, list[list.length - 1].end) };
}

const lineOf = (text, offset) => text.slice(0, offset).split("\n").length;

const SYLLABLES = ["ba", "cor", "den", "fil", "gra", "hol", "jin", "kel", "lum", "mor", "nat", "pex", "quo", "ras", "sib", "tov", "ul", "wex", "yar", "zim"];

function freshName(next, taken, old) {
  for (;;) {
    let name = "";
    for (let count = 2 + Math.floor(next() * 2); count > 0; count--) name += SYLLABLES[Math.floor(next() * SYLLABLES.length)];
    if (/^[A-Z]/.test(old)) name = name[0].toUpperCase() + name.slice(1);
    if (!taken.has(name)) {
      taken.add(name);
      return name;
    }
  }
}

/** Every name that is not exported and not a property gets another; all else stays, comments and types included. */
function renamed(text, extension, seed) {
  const name = "file" + extension;
  const source = parse(text, extension);
  const host = {
    getSourceFile: (asked) => (asked === name ? source : undefined), writeFile() {}, getCanonicalFileName: (one) => one,
    getDefaultLibFileName: () => "none.d.ts", useCaseSensitiveFileNames: () => true, getCurrentDirectory: () => "",
    getNewLine: () => "\n", fileExists: (asked) => asked === name, readFile: () => undefined,
  };
  const options = { noLib: true, noResolve: true, allowJs: true, checkJs: false, types: [], target: ts.ScriptTarget.Latest, jsx: ts.JsxEmit.Preserve };
  const checker = ts.createProgram([name], options, host).getTypeChecker();
  const next = random(seed);
  const taken = new Set();
  const names = new Map();
  const edits = [];
  const local = (symbol) =>
    symbol?.declarations?.length && symbol.declarations.every((one) => {
      const kinds = ts.isVariableDeclaration(one) || ts.isParameter(one) || ts.isBindingElement(one) || ts.isFunctionDeclaration(one) || ts.isClassDeclaration(one) || ts.isFunctionExpression(one);
      return kinds && !(ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Export) && !ts.isParameterPropertyDeclaration(one, one.parent);
    });
  const exported = new Set();
  const collect = (node) => {
    if (ts.isIdentifier(node)) taken.add(node.text);
    if (ts.isExportSpecifier(node)) exported.add((node.propertyName ?? node.name).text);
    ts.forEachChild(node, collect);
  };
  collect(source);
  const visit = (node) => {
    if (ts.isIdentifier(node) && node.text !== "arguments" && node.text !== "this" && !exported.has(node.text)) {
      const { parent } = node;
      const shorthand = ts.isShorthandPropertyAssignment(parent);
      const symbol = shorthand ? checker.getShorthandAssignmentValueSymbol(parent) : checker.getSymbolAtLocation(node);
      const property = (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) && (parent.name ?? parent.right) === node;
      const key = ts.isBindingElement(parent) && parent.propertyName === node;
      if (!property && !key && local(symbol)) {
        if (!names.has(symbol)) names.set(symbol, freshName(next, taken, node.text));
        const bound = ts.isBindingElement(parent) && parent.name === node && !parent.propertyName && !parent.dotDotDotToken && ts.isObjectBindingPattern(parent.parent);
        edits.push([node.getStart(), node.end, (shorthand || bound ? node.text + ": " : "") + names.get(symbol)]);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (names.size < 3) throw new Error("too few names");
  let out = "";
  let at = 0;
  for (const [begin, end, by] of edits.sort((one, other) => one[0] - other[0])) {
    out += text.slice(at, begin) + by;
    at = end;
  }
  return out + text.slice(at);
}

/** Several files and third-party code in one minified file. What cannot be found becomes an empty module. */
async function bundle(job) {
  const lines = job.entries.map((entry, at) => `import * as m${at} from ${JSON.stringify(entry)};`);
  lines.push(`globalThis.app = [${job.entries.map((_, at) => "m" + at).join(", ")}];`);
  const missing = {
    name: "missing",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (asked) => {
        if (asked.pluginData === "asked") return undefined;
        const found = await build.resolve(asked.path, { importer: asked.importer, resolveDir: asked.resolveDir, kind: asked.kind, pluginData: "asked" });
        return found.errors.length || found.external ? { path: asked.path, namespace: "missing" } : found;
      });
      build.onLoad({ filter: /.*/, namespace: "missing" }, () => ({ contents: "module.exports = {}", loader: "js" }));
    },
  };
  const built = await esbuild.build({
    stdin: { contents: lines.join("\n"), resolveDir: job.root, loader: "js" }, bundle: true, minify: true, write: false, metafile: true,
    format: job.seed % 2 ? "iife" : "esm", platform: "browser", logLevel: "silent", plugins: [missing], absWorkingDir: job.root,
    loader: { ".js": "jsx", ".svg": "text", ".css": "text", ".html": "text" }, outfile: "out.js", legalComments: "none", tsconfigRaw: {},
  });
  const [output] = Object.values(built.metafile.outputs);
  const inputs = Object.entries(output.inputs).filter(([, one]) => one.bytesInOutput >= MIN_BYTES_IN_BUNDLE).map(([name]) => name);
  return { text: built.outputFiles[0].text, inputs };
}

const PRETTIER = {
  printWidth: 64, useTabs: true, semi: false, singleQuote: true, trailingComma: "none", arrowParens: "avoid",
  bracketSpacing: false, quoteProps: "consistent", objectWrap: "collapse",
};

const OPERATIONS = {
  prettier: (text, { extension }) => prettier.format(text, { ...PRETTIER, parser: isTypeScript(extension) ? "typescript" : "babel" }),
  "esbuild-ts2js": async (text, { extension }) => (await esbuild.transform(text, { loader: loader(extension), target: "es2020" })).code,
  "swc-ts2js": (text, { extension }) => swcTo(text, extension, "es2020"),
  "tsc-ts2js": (text, { extension }) => tscTo(text, extension, ts.ScriptTarget.ES2020),
  es5: (text, { extension, seed }) => es5(text, extension, seed),
  "minify-esbuild": async (text, { extension }) => (await esbuild.transform(text, { loader: loader(extension), minify: true, format: "esm", legalComments: "none" })).code,
  "minify-swc": (text, { extension }) => swcTo(text, extension, "es2020", true),
  "minify-terser": async (text, { extension }) => terserOf(await plain(text, extension)),
  "es5-terser": async (text, { extension, seed }) => terserOf(await es5(text, extension, seed), { ecma: 5 }),
  "terser-mangle-props": async (text, { extension }) => terserOf(await plain(text, extension), { mangle: { toplevel: true, properties: true } }),
  "renamed-terser": async (text, { extension }) => terserOf(await plain(text, extension), { compress: false, format: { beautify: true, comments: false } }),
  obfuscator: async (text, { extension, seed }) =>
    obfuscator.obfuscate(await plain(text, extension), {
      seed: (seed % 1_000_000) + 1, stringArray: true, stringArrayThreshold: 1, stringArrayEncoding: ["base64"], stringArrayRotate: true,
      stringArrayShuffle: true, identifierNamesGenerator: "hexadecimal", compact: true,
    }).getObfuscatedCode(),
  "comments-stripped": (text, { extension }) => ts.createPrinter({ removeComments: true }).printFile(parse(text, extension)),
  renamed: (text, { extension, seed }) => renamed(text, extension, seed),
  reordered: (text, { extension, seed }) => reordered(text, extension, seed),
  split: (text, { extension }) => split(text, extension),
  sourcemap: async (text, { extension, name }) =>
    (await esbuild.transform(text, { loader: loader(extension), minify: true, sourcemap: "external", sourcefile: name, sourcesContent: true })).map,
};

/** Some tools write what the process may not: their notes go to standard error. */
console.log = console.error;

async function main() {
  const [jobs, results] = process.argv.slice(2);
  const out = fs.openSync(results, "w");
  for (const line of fs.readFileSync(jobs, "utf8").split("\n")) {
    if (!line) continue;
    const job = JSON.parse(line);
    let said = { id: job.id };
    try {
      const made = job.op === "bundle" ? await bundle(job) : await OPERATIONS[job.op](fs.readFileSync(job.input, "utf8"), job);
      const { text, ...rest } = typeof made === "string" ? { text: made } : made;
      fs.mkdirSync(path.dirname(job.output), { recursive: true });
      fs.writeFileSync(job.output, text);
      said = { ...said, ...rest };
    } catch (error) {
      said.error = String(error?.message ?? error).split("\n")[0].slice(0, 200);
    }
    fs.writeSync(out, JSON.stringify(said) + "\n");
  }
  fs.closeSync(out);
}

await main();
