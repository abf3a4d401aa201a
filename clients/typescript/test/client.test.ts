import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, eventPage, events, items, RefusedError, unwrap, type OrderEvent } from "../src/index.js";

const server = { url: process.env["ORDERWRIGHT_URL"] ?? "http://127.0.0.1:4000" };
const client = createClient(server);

test("an order is placed, awaited, listed, cancelled and followed", async () => {
  unwrap(await client.PUT("/api/v1/products/{sku}", {
    params: { path: { sku: "TS-MUG" } }, body: { name: "Mug", unitPrice: 895, currency: "GBP" },
  }));
  unwrap(await client.PUT("/api/v1/stock/{sku}", { params: { path: { sku: "TS-MUG" } }, body: { onHand: 100 } }));
  unwrap(await client.PUT("/api/v1/customers/{id}", { params: { path: { id: "ts-ada" } }, body: { name: "Ada" } }));
  unwrap(await client.POST("/api/v1/customers/{id}/credits", {
    params: { path: { id: "ts-ada" } }, body: { currency: "GBP", amount: 100_000 },
  }));

  const body = { customerId: "ts-ada", currency: "GBP", lines: [{ sku: "TS-MUG", quantity: 1 }] };
  const place = async (key: string) => client.POST("/api/v1/orders", {
    params: { header: { "Idempotency-Key": key, Prefer: "wait=20" } }, body,
  });
  const placed = await place("ts-1");
  assert.equal(placed.response.status, 201);
  const order = unwrap(placed);
  assert.equal(order.status, "confirmed");
  assert.equal(order.total, 895);
  const repeated = await place("ts-1");
  assert.equal(repeated.response.headers.get("Idempotent-Replayed"), "true");
  assert.equal(unwrap(repeated).id, order.id);
  unwrap(await place("ts-2"));
  unwrap(await place("ts-3"));

  const found: string[] = [];
  const list = items(async (cursor) => unwrap(await client.GET("/api/v1/orders", {
    params: { query: { customerId: "ts-ada", limit: 2, ...(cursor === undefined ? {} : { cursor }) } },
  })));
  for await (const one of list) found.push(one.id);
  assert.equal(found.length, 3);
  assert.equal(found[2], order.id);

  unwrap(await client.POST("/api/v1/orders/{id}/cancel", {
    params: { path: { id: order.id } }, body: { reason: "customer" },
  }));
  const seen: OrderEvent[] = [];
  for await (const event of events(server, { orderId: order.id, signal: AbortSignal.timeout(60_000) })) seen.push(event);
  assert.equal(seen[0]?.type, "placed");
  assert.equal(seen.at(-1)?.type, "cancelled");
  const page = await eventPage(client, { after: 0, limit: 2 });
  assert.equal(page.items.length, 2);
});

test("a refusal has a code", async () => {
  const result = await client.GET("/api/v1/products/{sku}", { params: { path: { sku: "TS-NONE" } } });
  assert.throws(() => unwrap(result), (error) => error instanceof RefusedError && error.problem.code === "not_found");
});
