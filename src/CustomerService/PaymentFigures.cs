using Orderwright.Contracts;
using Orderwright.CustomerService.Calling;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService;

/// <summary>Gauges of payments that wait for a look-up or for a person.</summary>
static class PaymentFigures
{
    static readonly FigureName InDoubt = new(
        "orderwright.payments.in_doubt", "{operation}",
        "Operations at a gateway that may or may not have happened, and are looked up.");

    static readonly FigureName OldestInDoubt = new(
        "orderwright.payments.in_doubt.oldest", "s", "Age of the oldest operation in doubt.");

    static readonly FigureName Attention = new(
        "orderwright.payments.attention", "{payment}", "Payments that need a person.");

    static readonly FigureName Breaker = new(
        "orderwright.gateway.breaker_open", "{boolean}", "1 while the gateway is failing and only single requests are sent.");

    public static Figures Of(GatewayCalls calls, ServiceContext context) => new(
        ServiceNames.Customer, [InDoubt, OldestInDoubt, Attention, Breaker],
        async cancel =>
        {
            var now = context.Time.Now();
            var doubt = (await context.Database.QueryAsync(
                context.Sql["count_in_doubt"], SqlArgs.None,
                row => (Count: row.BigInt("count"), Oldest: row.TimeOrNull("oldest")), cancel))[0];
            var attention = await context.Database.QueryAsync(
                context.Sql["count_attention"], SqlArgs.None, row => row.BigInt("count"), cancel);
            return
            [
                new(InDoubt, doubt.Count),
                new(OldestInDoubt, doubt.Oldest is { } at ? Math.Max(0, (now - at).TotalSeconds) : 0),
                new(Attention, attention[0]),
                .. calls.Gateways.Select(gateway =>
                    new Figure(Breaker, calls.Down().Contains(gateway) ? 1 : 0, ("provider", gateway))),
            ];
        },
        context.Time);
}
