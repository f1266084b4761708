// Runs the sessions that the README shows, in one shell against one server, and gives what they really answer.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const blocks = /```console\n([\s\S]*?)```/g;
const mark = 'end of command';

/** The commands of the README's sessions, each with the answer printed below it. */
export function printedSessions(readme) {
  const lines = [...readme.matchAll(blocks)].flatMap(([, block]) => block.trimEnd().split('\n'));
  const steps = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), answer: [] });
    else steps.at(-1).answer.push(line);
  }
  return steps.map(({ command, answer }) => ({ command, answer: answer.join('\n') }));
}

/** What the commands answer, with tokens shortened as the README does; `urls` are the real ones of the ports it names. */
export async function realAnswers(steps, urls, directory) {
  let script = steps.map(({ command }) => `${command}\necho '${mark}'`).join('\n');
  for (const [port, url] of Object.entries(urls)) script = script.replaceAll(`http://127.0.0.1:${port}`, url);
  const { stdout } = await run('bash', ['-c', script], {
    cwd: directory,
    timeout: 300_000,
  });
  return stdout.split(`${mark}\n`).slice(0, -1).map((answer) => shortened(answer.trimEnd()));
}

/** Tokens and ids differ from run to run: only their beginning is shown. */
function shortened(text) {
  return text
    .replace(/(eyJ[\w-]{17})[\w.-]+/g, '$1…')
    .replace(/(accountd\.tok_)[\w.-]+/g, '$1…')
    .replace(/((?:usr|ses|rol|ten|tok)_)\w+/g, '$1…');
}
