using System.CommandLine;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>adopt</c>: takes over the gateway's charge of an order whose payment was lost with a database.</summary>
static class AdoptCommand
{
    public static Command Create()
    {
        var id = CommonOptions.Order();
        var provider = new Option<string?>("--provider") { Description = "Payment provider, to choose among several charges." };
        var reference = new Option<string?>("--reference")
        {
            Description = "The gateway's id of the charge, to choose among several charges.",
        };
        var (reason, preview, json) = (CommonOptions.Reason(), CommonOptions.Preview(), CommonOptions.Json());
        var command = new Command("adopt", "Take over the gateway's charge of a confirmed order whose payment was lost.")
        {
            id, provider, reference, reason, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel);
            var body = new JsonObject { ["reason"] = parsed.GetValue(reason) };
            if (parsed.GetValue(provider) is { } named) body["provider"] = named;
            if (parsed.GetValue(reference) is { } charge) body["reference"] = charge;
            var isPreview = parsed.GetValue(preview);
            var effect = (await client.PostAsync(
                ServiceNames.Customer, $"/payments/{orderId}/adopt{(isPreview ? "?preview=true" : "")}", body, cancel,
                isPreview ? null : ApiClient.NewKey("adopt"))).OrThrow().Body;
            output.ShowJson(effect);
            OperatorCommands.ShowEffect(output, orderId, effect, isPreview);
            return Exit.Ok;
        });
        return command;
    }
}
