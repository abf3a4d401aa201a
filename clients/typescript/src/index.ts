import createFetchClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, paths };
export type Order = components["schemas"]["OrderResponse"];
export type OrderEvent = components["schemas"]["EventResponse"];
export type Problem = components["schemas"]["Problem"];

/** Address and key of a server. */
export interface Server {
  /** Base address, such as `http://127.0.0.1:4000`. */
  url: string;
  /** API key; omitted where the server needs none. */
  key?: string;
}

/** Creates a client whose calls are typed by path, such as `client.GET("/api/v1/orders/{id}", …)`. */
export function createClient(server: Server): Client<paths> {
  return createFetchClient<paths>({ baseUrl: server.url, headers: headersOf(server) });
}

/** Refusal of the server; `problem.code` is stable, and callers branch on it. */
export class RefusedError extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.detail} (${problem.code})`);
    this.name = "RefusedError";
  }
}

/** Returns the body of a successful response, and throws {@link RefusedError} otherwise. */
export function unwrap<T>(result: { data?: T; error?: unknown; response: Response }): T {
  if (result.error !== undefined) throw new RefusedError(result.error as Problem);
  return result.data as T;
}

/** A page of a list. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Yields the items of a list, page after page. */
export async function* items<T>(read: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await read(cursor ?? undefined);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** Reads a page of the feed of all events. */
export async function eventPage(
  client: Client<paths>, query: { after?: number; limit?: number; cursor?: string } = {},
): Promise<Page<OrderEvent>> {
  // The same path also has live streams, which are text.
  return unwrap(await client.GET("/api/v1/events", { params: { query } })) as Page<OrderEvent>;
}

/** Choice of events. */
export interface EventOptions {
  /** Events of one order, up to its end; all events of the caller's channels when omitted. */
  orderId?: string;
  /** `seq` of the last event read; without it, the stream of an order begins at its start, and the feed now. */
  after?: number;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/**
 * Yields events as they happen, and connects again after an interruption without missing one. The stream of an order ends
 * with the order.
 */
export async function* events(server: Server, options: EventOptions = {}): AsyncGenerator<OrderEvent> {
  const path = options.orderId === undefined ? "/api/v1/events" : `/api/v1/orders/${options.orderId}/events`;
  let last = options.after;
  while (!options.signal?.aborted) {
    const headers = new Headers({ ...headersOf(server), Accept: "text/event-stream" });
    if (last !== undefined) headers.set("Last-Event-ID", `${last}`);
    let response: Response;
    try {
      response = await fetch(new URL(path, server.url), { headers, signal: options.signal ?? null });
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!(error instanceof TypeError)) throw error;
      await pause(options.signal);
      continue;
    }
    // No event can follow.
    if (response.status === 204) return;
    if (response.status >= 500) {
      await pause(options.signal);
      continue;
    }
    if (!response.ok) throw new RefusedError((await response.json()) as Problem);
    try {
      for await (const event of read(response)) {
        last = event.seq;
        yield event;
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!(error instanceof TypeError)) throw error;
      await pause(options.signal);
    }
  }
}

// WHATWG HTML, section 9.2.6: events end with an empty line, and the server sends one `data` line for each.
async function* read(response: Response): AsyncGenerator<OrderEvent> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body! as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = text.slice(0, end).split("\n").find((line) => line.startsWith("data: "));
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data.slice(6)) as OrderEvent;
    }
  }
}

function headersOf(server: Server): Record<string, string> {
  return server.key === undefined ? {} : { Authorization: `Bearer ${server.key}` };
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
