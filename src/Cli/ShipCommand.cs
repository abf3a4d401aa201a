using System.CommandLine;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>ship</c>: says that goods of an order left the house.</summary>
static class ShipCommand
{
    public static Command Create()
    {
        var id = OrderCommands.IdOrReference();
        var line = new Option<int[]>("--line")
        {
            Description = "Which line, 1 and up; may be repeated. Default: all that is left.",
        };
        var quantity = new Option<int[]>("--qty") { Description = "How much of the line before it; one for each --line." };
        var carrier = new Option<string?>("--carrier") { Description = "Who carries the parcel." };
        var tracking = new Option<string?>("--tracking") { Description = "The carrier's number for it." };
        var json = Output.JsonOption();
        var command = new Command("ship", "Ship some of a confirmed order, or all that is left.")
        {
            id, line, quantity, carrier, tracking, json,
        };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(line)?.Length ?? 0) != (result.GetValue(quantity)?.Length ?? 0))
                result.AddError("Each --line needs a --qty.");
            if (result.GetValue(carrier) is null != result.GetValue(tracking) is null)
                result.AddError("--carrier and --tracking come together.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var order = await OrderCommands.FindAsync(api, parsed.GetValue(id)!, cancel);
            var answer = await api.SendAsync(
                HttpMethod.Post, ServiceNames.Order, $"/orders/{order.Text("id")}/fulfilments",
                Body(
                    parsed.GetValue(line) ?? [], parsed.GetValue(quantity) ?? [], parsed.GetValue(carrier),
                    parsed.GetValue(tracking)),
                cancel, key: $"ship-{Guid.NewGuid():N}");
            var shipped = answer.OrThrow().Body;
            output.ShowJson(shipped);
            output.Mark(
                null, $"Fulfilment {shipped.Text("number")} of order {order.Text("id")}, worth "
                + $"{OrderCommands.Price(shipped.Whole("value"), order)}:");
            output.Table(
                ["line#", "sku", "quantity#"],
                shipped.Items("lines").Select(its => new[] { its.Text("line"), its.Text("sku"), its.Text("quantity") }));
            return Exit.Ok;
        });
        return command;
    }

    static byte[] Body(int[] lines, int[] quantities, string? carrier, string? tracking) => JsonBody.Of(writer =>
    {
        if (lines.Length > 0)
        {
            writer.WriteStartArray("lines");
            for (var i = 0; i < lines.Length; i++)
            {
                writer.WriteStartObject();
                writer.WriteNumber("line", lines[i]);
                writer.WriteNumber("quantity", quantities[i]);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        if (carrier is null) return;
        writer.WriteStartObject("tracking");
        writer.WriteString("carrier", carrier);
        writer.WriteString("number", tracking);
        writer.WriteEndObject();
    });
}
