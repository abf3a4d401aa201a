using System.CommandLine;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>ship</c>: reports shipped goods of an order.</summary>
static class ShipCommand
{
    public static Command Create()
    {
        var id = CommonOptions.Order();
        var line = new Option<int[]>("--line")
        {
            Description = "Number of the shipped line, from 1; repeat per line. Default: everything not shipped yet.",
        };
        var quantity = new Option<int[]>("--qty") { Description = "Shipped quantity of the line before it; one per --line." };
        var carrier = new Option<string?>("--carrier") { Description = "Carrier of the parcel, such as Royal Mail." };
        var tracking = new Option<string?>("--tracking") { Description = "Tracking number of the carrier." };
        var force = new Option<bool>("--force")
        {
            Description = "Ship although the order's money was returned. Requires the permission operator.",
        };
        var json = CommonOptions.Json();
        var command = new Command("ship", "Report that a confirmed order was shipped, in part or in full.")
        {
            id, line, quantity, carrier, tracking, force, json,
        };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(line)?.Length ?? 0) != (result.GetValue(quantity)?.Length ?? 0))
                result.AddError("Each --line needs a --qty.");
            if (result.GetValue(carrier) is null != result.GetValue(tracking) is null)
                result.AddError("--carrier and --tracking must be given together.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var order = await OrderCommands.FindAsync(client, parsed.GetValue(id)!, cancel);
            var shipped = (await client.PostAsync(
                ServiceNames.Order, $"/orders/{order.Text("id")}/fulfilments",
                Body(
                    parsed.GetValue(line) ?? [], parsed.GetValue(quantity) ?? [], parsed.GetValue(carrier),
                    parsed.GetValue(tracking), parsed.GetValue(force)),
                cancel, ApiClient.NewKey("ship"))).OrThrow().Body;
            output.ShowJson(shipped);
            output.Mark(
                null, $"Fulfilment {shipped.Text("number")} of order {order.Text("id")}, value "
                + $"{OrderCommands.Price(shipped.Whole("value"), order)}:");
            output.Table(
                ["line#", "sku", "quantity#"],
                shipped.Items("lines").Select(part => new[] { part.Text("line"), part.Text("sku"), part.Text("quantity") }));
            return Exit.Ok;
        });
        return command;
    }

    static JsonObject Body(int[] lines, int[] quantities, string? carrier, string? tracking, bool force)
    {
        var body = new JsonObject();
        if (lines.Length > 0)
            body["lines"] = new JsonArray([.. lines.Select((line, i) => new JsonObject
            {
                ["line"] = line, ["quantity"] = quantities[i],
            })]);
        if (carrier is not null) body["tracking"] = new JsonObject { ["carrier"] = carrier, ["number"] = tracking };
        if (force) body["force"] = true;
        return body;
    }
}
