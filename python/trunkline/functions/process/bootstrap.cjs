// Runs a Node handler in a process of its own: fetches invocations from the Lambda runtime API.
'use strict';
const http = require('http');
const path = require('path');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const API = '/2018-06-01/runtime';
const END_OF_LOG = '\u0000end of log\u0000';

// The server holds the other end of our input, also when it is killed.
process.stdin.on('end', () => process.exit(1)).resume();

function request(method, target, body) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host, port, method, path: `${API}/${target}`, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function failure(error) {
  const told = error instanceof Error ? error : new Error(String(error));
  return {
    errorType: told.name,
    errorMessage: told.message,
    trace: String(told.stack || '').split('\n'),
  };
}

function end(target, value) {
  process.stdout.write(`${END_OF_LOG}\n`);
  const text = JSON.stringify(value === undefined ? null : value);
  return request('POST', target, text);
}

async function load(name) {
  const dot = name.lastIndexOf('.');
  const file = path.resolve(process.env.LAMBDA_TASK_ROOT, name.slice(0, dot));
  const key = name.slice(dot + 1);
  let found;
  try {
    found = require(file);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_REQUIRE_ESM') throw error;
    found = await import(`file://${file}.mjs`);
  }
  if (typeof found[key] !== 'function') throw new Error(`${name} is undefined or not exported`);
  return found[key];
}

function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error ? reject(error) : resolve(value));
    const answer = handler(event, context, done);
    if (answer && typeof answer.then === 'function') answer.then(resolve, reject);
    else if (handler.length < 3) resolve(answer);
  });
}

function contextOf(headers) {
  const { env } = process;
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

(async () => {
  let handler;
  try {
    handler = await load(process.env._HANDLER);
  } catch (error) {
    await end('init/error', failure(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, body } = await request('GET', 'invocation/next');
    const context = contextOf(headers);
    const own = `invocation/${context.awsRequestId}`;
    let answer;
    try {
      answer = ['response', await call(handler, JSON.parse(body.toString() || '{}'), context)];
    } catch (error) {
      answer = ['error', failure(error)];
    }
    await end(`${own}/${answer[0]}`, answer[1]);
  }
})();
