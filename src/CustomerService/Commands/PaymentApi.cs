using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Payments over HTTP: <c>/api/v1/payments</c>; and what comes from outside: webhooks, whose signature is
/// their ticket, and the sandbox's page, where whoever holds an order's id acts as its customer.
/// </summary>
public sealed class PaymentApi(IDatabase database, SqlCatalog sql, Webhooks webhooks, SandboxProvider? sandbox)
{
    const int MaxWebhookBytes = 1_000_000;

    // Payments that one page of a filtered list looks at; a page may be short and still say that it
    // goes on.
    const int Window = 20_000;

    static readonly Guid Last = Guid.AllBitsSet;

    public void Map(IEndpointRouteBuilder routes)
    {
        var payments = routes.MapGroup("/api/v1/payments").WithTags("payments").Require(Scopes.Payments);
        payments.MapGet("", (Delegate)ListAsync).WithName("listPayments").Lists("orderId", "state", "inDoubt", "attention")
            .WithDescription(
                "Newest first. `inDoubt=true`: those of which an attempt may or may not have happened at the gateway, and is " +
                "looked up. `attention=true`: those that a person has to look at. A page of a narrow filter may hold fewer " +
                "items than the limit and still have a `nextCursor`. Each capture, refund and void has a state: `pending`, " +
                "`settled`, `failed`, or `unknown` while in doubt.")
            .Produces<Page<PaymentView>>();
        payments.MapGet("/{id}", GetAsync).WithName("getPayment").Produces<PaymentView>();
        routes.MapPost("/api/v1/webhooks/{provider}", WebhookAsync).WithName("receiveWebhook").WithTags("payments")
            .OpenToAll().Produces(StatusCodes.Status200OK);
        if (sandbox is not null)
            routes.MapPost("/api/v1/sandbox/actions/{orderId}", ActAsync).WithName("takeSandboxAction")
                .WithTags("sandbox").OpenToAll()
                .Accepts<SandboxAction>("application/json").Produces<SandboxActed>();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "state", "inDoubt", "attention");
        var orderId = query.Id("orderId");
        var state = query.OneOf("state", PaymentStates.All);
        long? inDoubt = query.OneOf("inDoubt", ["true", "false"]) switch { null => null, "true" => 1, _ => 0 };
        var toSeeTo = query.OneOf("attention", ["true"]) is not null;
        if (query.Refusal is { } refusal) return refusal;
        var before = Last;
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before))
            return Problem.Invalid(
                "cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");
        var (payments, floor) = await database.ReadAsync(
            async read =>
            {
                Guid? floor = toSeeTo || (state is null && inDoubt is null) || orderId is not null
                    ? null
                    : (await read.QueryAsync(
                        sql["payments_floor"], SqlArgs.With("before", before).And("window", Window),
                        row => row.Uuid(0), http.RequestAborted)).Cast<Guid?>().SingleOrDefault();
                var found = await ReadAsync(
                    read, toSeeTo ? "list_payments_to_see_to" : "list_payments",
                    SqlArgs.With("order_id", orderId).And("state", state).And("in_doubt", inDoubt)
                        .And("from", floor ?? Guid.Empty).And("before", before).And("most", query.Limit + 1),
                    http.RequestAborted);
                return (found, floor);
            },
            http.RequestAborted);
        var page = Pages.Of(payments, query.Limit, payment => payment.Id.ToString("D"));
        if (page.NextCursor is null && floor is { } goOn)
            page = page with { NextCursor = Cursor.Write(goOn.ToString("D")) };
        return Answer.Json(StatusCodes.Status200OK, page, CustomerJson.Default.PagePaymentView);
    }

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var orderId))
            return Problem.Invalid("id", "invalid_id", "A payment's id is a UUID, the same as its order's.");
        var found = await database.ReadAsync(
            read => ReadAsync(read, "find_payment", SqlArgs.With("order_id", orderId), http.RequestAborted),
            http.RequestAborted);
        return found is [var payment]
            ? Answer.Json(
                StatusCodes.Status200OK, payment, CustomerJson.Default.PaymentView, version: payment.Version)
            : Problem.NotFound("payment");
    }

    async Task<IResult> WebhookAsync(string provider, HttpContext http)
    {
        using var body = new MemoryStream();
        var chunk = new byte[16_384];
        for (int read; (read = await http.Request.Body.ReadAsync(chunk, http.RequestAborted)) > 0;)
        {
            if (body.Length + read > MaxWebhookBytes)
                return Problem.Of(
                    StatusCodes.Status413PayloadTooLarge, "body_too_large",
                    $"The body is over {MaxWebhookBytes} bytes.");
            body.Write(chunk, 0, read);
        }
        return await webhooks.ReceiveAsync(provider, http.Request.Headers, body.ToArray());
    }

    async Task<IResult> ActAsync(string orderId, HttpContext http)
    {
        if (!Guid.TryParseExact(orderId, "D", out var id))
            return Problem.Invalid("orderId", "invalid_id", "An order's id is a UUID.");
        var body = await StrictJson.ReadAsync(http, SandboxJson.Default.SandboxAction);
        if (body.Refusal is not null) return body.Refusal;
        return await sandbox!.ActAsync(id, body.Value!.Approve) switch
        {
            null => Problem.NotFound("charge"),
            { Result: null, Charge: { } settled } =>
                Problem.Conflict("not_waiting", $"Nothing is to be approved here; the charge is {settled.State}."),
            var acted => Answer.Json(
                StatusCodes.Status200OK, new(id, acted.Charge!.State), SandboxJson.Default.SandboxActed),
        };
    }

    async Task<List<PaymentView>> ReadAsync(IQueries read, string query, SqlArgs args, CancellationToken cancel)
    {
        var payments = await read.QueryAsync(sql[query], args, PaymentStore.ReadPayment, cancel);
        if (payments.Count == 0) return [];
        var calls = (await read.QueryAsync(
            sql["load_calls"], SqlArgs.OfUuids("order_id", [.. payments.Select(payment => payment.OrderId)]),
            PaymentStore.ReadCall, cancel)).ToLookup(call => call.OrderId);
        return payments.ConvertAll(payment => PaymentView.Of(
            new PaymentFile(payment.OrderId, payment, [.. calls[payment.OrderId]])));
    }
}
