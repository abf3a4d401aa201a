using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.SandboxGateway;

/// <summary>The gateway's record, for whoever compares: one charge, those of an order, or all of a time range in pages.</summary>
public sealed class ChargeList(IDatabase database, SqlCatalog sql)
{
    public async Task<IResult> GetAsync(string id, HttpContext http) =>
        await ReadAsync("find_charge", SqlArgs.With("id", id), http) is [var charge]
            ? Answer.Json(StatusCodes.Status200OK, charge, HttpGatewayJson.Default.HttpGatewayCharge)
            : Problem.NotFound("charge");

    public async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "reference", "from", "to");
        var reference = query.Id("reference");
        var (from, to) = (query.Time("from"), query.Time("to"));
        if (query.Refusal is { } refusal) return refusal;
        if (reference is { } order)
            return Tell(new(await ReadAsync("charges_of_reference", SqlArgs.With("order_id", order), http), null));

        var (afterTime, afterId) = (DateTimeOffset.UnixEpoch, "");
        if (query.Position is { } position)
        {
            var mark = position.IndexOf(' ', StringComparison.Ordinal);
            if (mark < 0 || !long.TryParse(position.AsSpan(0, mark), CultureInfo.InvariantCulture, out var milliseconds))
                return Problem.Invalid("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");
            (afterTime, afterId) = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), position[(mark + 1)..]);
        }
        var charges = await ReadAsync(
            "charges_by_time",
            SqlArgs.With("from", from ?? DateTimeOffset.UnixEpoch)
                .And("to", to ?? new DateTimeOffset(9999, 12, 31, 0, 0, 0, TimeSpan.Zero))
                .And("after_time", afterTime).And("after_id", afterId).And("most", query.Limit + 1),
            http);
        return Tell(Pages.Of(
            charges, query.Limit,
            charge => string.Create(
                CultureInfo.InvariantCulture, $"{charge.CreatedAt.ToUnixTimeMilliseconds()} {charge.Id}")));
    }

    static Answer Tell(Page<HttpGatewayCharge> page) =>
        Answer.Json(StatusCodes.Status200OK, page, HttpGatewayJson.Default.PageHttpGatewayCharge);

    Task<List<HttpGatewayCharge>> ReadAsync(string query, SqlArgs args, HttpContext http) =>
        database.QueryAsync(
            sql[query], args,
            row => new HttpGatewayCharge(
                row.Text(0), row.Text(1), row.Uuid(2), row.Text(3), row.Text(4), row.BigInt(5), row.BigInt(6),
                row.BigInt(7), row.BigInt(8), row.Bool(9), row.Time(10), row.Time(11)),
            http.RequestAborted);
}
