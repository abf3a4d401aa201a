using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Commands;

/// <summary>Reads payments over HTTP: <c>/api/v1/payments</c>.</summary>
public sealed class PaymentApi(IDatabase database, SqlCatalog sql, TimeProvider time)
{
    // Payments examined per page of a filtered list. A page may be short and still have a next page.
    const int Window = 20_000;

    static readonly Guid Last = Guid.AllBitsSet;

    public void Map(IEndpointRouteBuilder routes)
    {
        var payments = routes.MapGroup("/api/v1/payments").WithTags("payments").Require(Scopes.Payments);
        payments.MapGet("", (Delegate)ListAsync).WithName("listPayments").Lists("orderId", "state", "inDoubt", "attention")
            .Query("state", PaymentStates.All).Query("attention", "true").WithSummary("List payments, newest first")
            .WithDescription(
                "`inDoubt=true`: payments with an attempt whose outcome at the gateway is unknown: being looked up, or " +
                "unanswered for a second. `attention=true`: payments that a person has to check. A page of a narrow filter " +
                "may hold fewer items than the limit and still have a `nextCursor`. Each capture, refund and void has a state: " +
                "`pending`, `settled`, `failed`, or `unknown` while in doubt.")
            .Produces<Page<PaymentResponse>>();
        payments.MapGet("/{id}", GetAsync).WithName("getPayment").WithSummary("Get the payment of an order")
            .Produces<PaymentResponse>().HasVersion();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "state", "inDoubt", "attention");
        var orderId = query.Id("orderId");
        var state = query.OneOf("state", PaymentStates.All);
        long? inDoubt = query.OneOf("inDoubt", ["true", "false"]) switch { null => null, "true" => 1, _ => 0 };
        var needsAttention = query.OneOf("attention", ["true"]) is not null;
        if (query.Refusal is { } refusal) return refusal;
        var before = Last;
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before))
            return Problem.InvalidCursor;
        var (payments, floor) = await database.ReadAsync(
            async read =>
            {
                Guid? floor = needsAttention || (state is null && inDoubt is null) || orderId is not null
                    ? null
                    : (await read.QueryAsync(
                        sql["payments_floor"], SqlArgs.With("before", before).And("window", Window),
                        row => row.Uuid("order_id"), http.RequestAborted)).Cast<Guid?>().SingleOrDefault();
                var found = await ReadAsync(
                    read, needsAttention ? "list_payments_needing_attention" : "list_payments",
                    SqlArgs.With("order_id", orderId).And("state", state).And("in_doubt", inDoubt)
                        .And("unanswered_since", time.Now() - PaymentAttempt.AnswerExpectedWithin)
                        .And("channels", Caller.Of(http).Channels.Filter).And("from", floor ?? Guid.Empty)
                        .And("before", before).And("most", query.Limit + 1),
                    http.RequestAborted);
                return (found, floor);
            },
            http.RequestAborted);
        var page = Pages.Of(payments, query.Limit, payment => payment.Id.ToString("D"));
        if (page.NextCursor is null && floor is { } nextFrom)
            page = page with { NextCursor = Cursor.Write(nextFrom.ToString("D")) };
        return Answer.Json(StatusCodes.Status200OK, page, PaymentJson.Default.PagePaymentResponse);
    }

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        var (orderId, refusal) = RouteId.Read(id);
        if (orderId is null) return refusal!;
        var found = await database.ReadAsync(
            read => ReadAsync(
                read, "find_payment", SqlArgs.With("order_id", orderId.Value).And("channels", Caller.Of(http).Channels.Filter),
                http.RequestAborted),
            http.RequestAborted);
        return found is [var payment]
            ? Answer.Json(
                StatusCodes.Status200OK, payment, PaymentJson.Default.PaymentResponse, version: payment.Version)
            : Problem.NotFound("payment");
    }

    async Task<List<PaymentResponse>> ReadAsync(IQueries read, string query, SqlArgs args, CancellationToken cancel)
    {
        var payments = await read.QueryAsync(sql[query], args, PaymentStore.ReadPayment, cancel);
        if (payments.Count == 0) return [];
        var attempts = (await read.QueryAsync(
            sql["load_attempts"], SqlArgs.OfUuids("order_id", [.. payments.Select(payment => payment.OrderId)]),
            PaymentStore.ReadAttempt, cancel)).ToLookup(attempt => attempt.OrderId);
        return payments.ConvertAll(payment => PaymentResponse.Of(
            new PaymentCase(payment.OrderId, payment, [.. attempts[payment.OrderId]]), time.Now()));
    }
}
