// Calls of the API with a pass, which the host makes for this page and which ends by itself. It is
// kept in this module alone: in no address, no storage and no cookie.
let pass = null;

/** The header that shows a pass; none where the host needs no token. */
export async function authorization() {
  if (pass === null || Date.now() > pass.renewAt) {
    const answer = await fetch("/page/pass", { method: "POST" });
    if (!answer.ok) throw new Error(await reasonOf(answer));
    const made = await answer.json();
    pass = { value: made.pass, renewAt: Date.now() + made.seconds * 500 };
  }
  return pass.value ? { Authorization: `Bearer ${pass.value}` } : {};
}

/** Call the API; an answer that is an error is thrown with its sentence. */
export async function call(path, options = {}) {
  let answer = await sent(path, options);
  if (answer.status === 401) {
    pass = null; // of a host that was started again, or of a token that was edited
    answer = await sent(path, options);
  }
  if (!answer.ok && !(options.taken ?? []).includes(answer.status)) {
    throw new Error(await reasonOf(answer));
  }
  return answer;
}

async function sent(path, options) {
  const headers = { ...options.headers, ...(await authorization()) };
  return fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
}

async function reasonOf(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `The host answered with status ${answer.status}.`;
  }
}
