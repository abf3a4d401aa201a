using System.CommandLine;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>complete</c>: closes a confirmed order.</summary>
static class CompleteCommand
{
    public static Command Create()
    {
        var id = CommonOptions.Order();
        var goods = new Option<string?>("--goods")
        {
            Description = "What happens to goods without a fulfilment: consume, because they left, or release. Default: consume, "
                + "unless the money was returned or is captured with fulfilments.",
        };
        goods.AcceptOnlyFromAmong("consume", "release");
        var force = new Option<bool>("--force") { Description = "Consume the goods although the order's money was returned." };
        var json = CommonOptions.Json();
        var command = new Command("complete", "Close a confirmed order: nothing more will be shipped.")
        {
            id, goods, force, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var order = await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel);
            var body = new JsonObject { ["status"] = OrderStatuses.Completed };
            if (parsed.GetValue(goods) is { } end) body["goods"] = end;
            if (parsed.GetValue(force)) body["force"] = true;
            var reply = await client.SendAsync(
                HttpMethod.Patch, ServiceNames.Order, $"/orders/{order}", cancel, body, ApiClient.NewKey("complete"));
            var completed = reply.OrThrow().Body;
            output.ShowJson(completed);
            output.Mark(null, $"Order {order} is {completed.Text("status")}, {completed.Text("fulfilmentStatus")}.");
            return Exit.Ok;
        });
        return command;
    }
}
