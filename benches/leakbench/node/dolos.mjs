// Dolos's fingerprints of files, for peers.py: one JSON line {name, text} in, one {hashes} out.
//
//     npm install --prefix DIR @dodona/dolos-lib@3.5.1 @dodona/dolos-parsers
//     NODE_PATH has no say over modules: run a copy of this file in DIR.
//
// Its defaults: runs of 23 tokens of the syntax tree, of 17 runs the least. Files of languages that it has no parser for have
// none; TSX and JSX, MJS and CJS are read as what they are.

import readline from "node:readline";
import { LanguagePicker, WinnowFilter } from "@dodona/dolos-lib";

const KGRAM = 23;
const WINDOW = 17;
const LANGUAGES = { js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", ts: "typescript", mts: "typescript", cts: "typescript", tsx: "tsx", py: "python", rs: "rust" };

const picker = new LanguagePicker();
const filter = new WinnowFilter(KGRAM, WINDOW);
const tokenizers = new Map();

async function tokenizerOf(name) {
  const language = LANGUAGES[name.split(".").pop()];
  if (!language) return undefined;
  if (!tokenizers.has(language)) tokenizers.set(language, await (await picker.findLanguage(language)).createTokenizer());
  return tokenizers.get(language);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { name, text } = JSON.parse(line);
  let hashes = [];
  try {
    const tokenizer = await tokenizerOf(name);
    const tokens = tokenizer ? tokenizer.generateTokens(text).map((token) => token.token) : [];
    hashes = [...new Set(filter.fingerprints(tokens).map((one) => one.hash))];
  } catch (error) {
    process.stderr.write(`${name}: ${error.message}\n`);
  }
  process.stdout.write(`${JSON.stringify({ hashes })}\n`);
}
