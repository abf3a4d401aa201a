using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.SandboxGateway;

/// <summary>Read API of the gateway's record: a single charge, the charges of an order, or a time range in pages.</summary>
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
            return Respond(new(await ReadAsync("charges_of_reference", SqlArgs.With("order_id", order), http), null));

        var after = (Time: DateTimeOffset.UnixEpoch, Id: "");
        try
        {
            if (query.Position is { } position) after = SandboxRules.ReadCursor(position);
        }
        catch (FormatException)
        {
            return Problem.InvalidCursor;
        }
        var charges = await ReadAsync(
            "charges_by_time",
            SqlArgs.With("from", from ?? DateTimeOffset.UnixEpoch)
                .And("to", to ?? new DateTimeOffset(9999, 12, 31, 0, 0, 0, TimeSpan.Zero))
                .And("after_time", after.Time).And("after_id", after.Id).And("most", query.Limit + 1),
            http);
        return Respond(Pages.Of(
            charges, query.Limit, charge => SandboxRules.WriteCursor(charge.CreatedAt, charge.Id)));
    }

    static Answer Respond(Page<HttpGatewayCharge> page) =>
        Answer.Json(StatusCodes.Status200OK, page, HttpGatewayJson.Default.PageHttpGatewayCharge);

    Task<List<HttpGatewayCharge>> ReadAsync(string query, SqlArgs args, HttpContext http) =>
        database.QueryAsync(
            sql[query], args,
            row => new HttpGatewayCharge(
                row.Text("id"), row.Text("key"), row.Uuid("order_id"), row.Text("currency"), row.Text("state"),
                row.BigInt("amount"), row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"),
                row.Bool("voided"), row.Time("created_at"), row.Time("updated_at")),
            http.RequestAborted);
}
