// Runs the sessions of a document in one shell against a server and returns the real output.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const blocks = /```console\n([\s\S]*?)```/g;
const mark = 'end of command';

/** The commands of a document's sessions, each with the output printed below it. */
export function printedSessions(text) {
  const lines = [...text.matchAll(blocks)].flatMap(([, block]) => block.trimEnd().split('\n'));
  const steps = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), answer: [] });
    else steps.at(-1).answer.push(line);
  }
  return steps.map(({ command, answer }) => ({ command, answer: answer.join('\n') }));
}

/** The output of the commands, shortened as in the documents; `urls` maps the printed ports to the real servers. */
export async function realAnswers(steps, urls, directory) {
  let script = steps.map(({ command }) => `${command}\necho '${mark}'`).join('\n');
  for (const [port, url] of Object.entries(urls)) script = script.replaceAll(`http://127.0.0.1:${port}`, url);
  const { stdout } = await run('bash', ['-c', script], {
    cwd: directory,
    timeout: 300_000,
  });
  return stdout.split(`${mark}\n`).slice(0, -1).map((answer) => shortened(answer.trimEnd()));
}

/** The document with this output below its commands. */
export function withAnswers(text, answers) {
  const next = answers[Symbol.iterator]();
  return text.replace(blocks, (block) => {
    const commands = block.split('\n').filter((line) => line.startsWith('$ '));
    const lines = commands.flatMap((command) => [command, next.next().value].filter(Boolean));
    return ['```console', ...lines, '```'].join('\n');
  });
}

/** Tokens and ids differ from run to run: only their beginning is printed. */
function shortened(text) {
  return text
    .replace(/(eyJ[\w-]{17})[\w.-]+/g, '$1…')
    .replace(/(accountd\.tok_)[\w.-]+/g, '$1…')
    .replace(/((?:usr|ses|rol|ten|tok)_)\w+/g, '$1…');
}
