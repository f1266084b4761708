// Starts and stops an accountd with a new data directory and a free local port.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 120_000;
const LOG_CHARACTERS = 20_000;

const builtBinary = fileURLToPath(new URL('../../target/debug/accountd', import.meta.url));
const binary = resolve(process.env.ACCOUNTD_BIN || builtBinary);

// Interrupted runs, and runs whose output pipe closed, also emit 'exit', which stops the servers.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
process.stdout.once('error', () => process.exit(1));

/**
 * Starts a server; `env` adds settings such as `ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS`. `program` is another binary of
 * the build that nests accountd at the path `root`.
 */
export async function startServer({ env = {}, program, root = '' } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'accountd-clients-'));
  const removeDirectory = () => {
    rmSync(directory, { recursive: true, force: true });
    process.off('exit', removeDirectory);
  };
  process.once('exit', removeDirectory);
  // Other tests cover limits; here one address registers and fails more often than limits allow.
  const settings = { ...environmentWithoutSettings(), ACCOUNTD_LIMITS__ENABLED: 'false', ...env };
  const run = (...args) =>
    startProcess([...args, '--data-dir', directory], { cwd: directory, env: settings });

  let server;
  let url;
  try {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = program
      ? startProcess([], {
          cwd: directory,
          env: { ...settings, ACCOUNTD_LISTEN: `127.0.0.1:${port}`, ACCOUNTD_DATA_DIR: directory },
        }, join(dirname(binary), program))
      : run('serve', '--listen', `127.0.0.1:${port}`);
    await waitUntilReady(server, `${url}${root}/readyz`);
  } catch (error) {
    server?.kill('SIGKILL');
    await server?.ended;
    removeDirectory();
    throw error;
  }

  return {
    url,
    graphql: `${url}/graphql`,
    log: server.log,

    async makeAdmin(name, password) {
      const command = run('admin', 'create', name, '--password-stdin');
      command.write(password);
      await requireSuccess(command, 'accountd admin create');
    },

    async stop() {
      try {
        server.kill('SIGTERM');
        // Another program may not exit with 0.
        if (program) await server.ended;
        else await requireSuccess(server, 'accountd serve after SIGTERM');
      } finally {
        removeDirectory();
      }
    },
  };
}

/** The environment without ACCOUNTD_*: the server refuses to start with unknown settings. */
function environmentWithoutSettings() {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('ACCOUNTD_')));
}

function startProcess(args, options, program = binary) {
  const child = spawn(program, args, { ...options, stdio: 'pipe' });
  const killAtExit = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', killAtExit);

  let log = '';
  const appendToLog = (chunk) => {
    log = (log + chunk).slice(-LOG_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', appendToLog);
  child.stderr.setEncoding('utf8').on('data', appendToLog);
  child.stdin.on('error', () => {}); // a program that ends early does not read its input

  const ended = new Promise((done) => {
    child.once('error', (error) => done(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => done(signal ?? code));
  }).finally(() => process.off('exit', killAtExit));

  return {
    ended,
    log: () => log,
    kill: (signal) => child.kill(signal),
    write: (text) => child.stdin.end(text),
  };
}

async function waitUntilReady(server, address) {
  let end;
  server.ended.then((status) => (end = { status }));
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let answer = 'nothing';
  while (Date.now() < deadline) {
    if (end) throw new Error(`the server exited at startup (${end.status})\n${server.log()}`);
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      if (response.status === 200) return;
      answer = response.status;
    } catch (error) {
      answer = error.cause?.code ?? error.name;
    }
    await sleep(50);
  }
  throw new Error(`GET /readyz did not return 200 in time, last result: ${answer}\n${server.log()}`);
}

async function requireSuccess(command, name) {
  const timer = setTimeout(() => command.kill('SIGKILL'), STOP_TIMEOUT_MS);
  const status = await command.ended.finally(() => clearTimeout(timer));
  if (status !== 0) throw new Error(`${name} ended with ${status}, not with 0\n${command.log()}`);
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
