using System.CommandLine;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>demo</c>: runs a scenario in the demo shop of <c>./orderwright dev</c>, and narrates it step by step.</summary>
static class DemoCommand
{
    static readonly string[] Names = ["decline", "out-of-stock", "gateway-timeout", "refund-fails", "crash", "reset"];
    static readonly string[] Steps =
        [StepNames.ReserveStock, StepNames.AuthorizePayment, StepNames.CommitStock, StepNames.CapturePayment];
    static readonly TimeSpan RestartLimit = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var name = new Argument<string>("scenario") { Description = "Scenario to run; reset restores the shop." };
        name.AcceptOnlyFromAmong(Names);
        var after = new Option<string>("--after")
        {
            Description = "Step after which the process is killed, in the crash scenario.",
            DefaultValueFactory = _ => "authorize",
        };
        after.AcceptOnlyFromAmong([.. Steps.Select(Short)]);
        var command = new Command("demo", "Run a scenario in the demo shop, narrated step by step.") { name, after };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(name)!, Steps.Single(step => Short(step) == parsed.GetValue(after)), new Output(json: false),
            cancel));
        return command;
    }

    static string Short(string step) => step.Split('-')[0];

    static async Task<int> RunAsync(string name, string after, Output output, CancellationToken cancel)
    {
        var client = await Server.ConnectAsync(cancel);
        var path = name == "crash" ? $"/demo/crash?after={after}" : $"/demo/{name}";
        var reply = await client.PostAsync(ServiceNames.Coordinator, path, [], cancel);
        if (reply.IsNotFound)
            throw new ToolException(
                Exit.Failed, "This server has no demo shop. Start one with ./orderwright dev, without --no-demo.");
        var scenario = reply.OrThrow().Body;
        var page = $"{Server.Address.GetLeftPart(UriPartial.Authority)}{scenario.Text("look")}";
        output.Line(scenario.Text("story"));
        if (scenario.TextOrNull("orderId") is not { } id)
        {
            output.Mark(true, $"Done. {page}");
            return Exit.Ok;
        }
        output.Line($"Order {id}: {page}");
        if (name == "crash") client = await FollowCrashAsync(client, output, cancel);
        if (name == "refund-fails") return await FollowIncidentAsync(client, output, id, cancel);
        var exit = await new StepWatch(client, output).FollowAsync(id, RestartLimit, cancel);
        if (name == "crash") await CountAsync(client, output, id, cancel);
        // Two of the scenarios show a refusal.
        return exit == Exit.Refused && name is "decline" or "out-of-stock" ? Exit.Ok : exit;
    }

    static async Task<ApiClient> FollowCrashAsync(ApiClient client, Output output, CancellationToken cancel)
    {
        while ((await client.GetAsync(ServiceNames.Coordinator, "/overview", cancel)).Status != 0)
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancel);
        output.Mark(false, "The process was killed.");
        var restarted = await Server.ConnectAsync(cancel, RestartLimit);
        output.Mark(true, "The process is running again, and resends every outstanding command.");
        return restarted;
    }

    // The participants' own records: the stock ledger and the attempts at the payment gateway.
    static async Task CountAsync(ApiClient client, Output output, string id, CancellationToken cancel)
    {
        var line = (await client.GetAsync(ServiceNames.Order, $"/orders/{id}", cancel)).OrThrow().Body.Items("lines").Single();
        var movements = (await client.GetAsync(ServiceNames.Stock, $"/stock/{line.Text("sku")}/movements", cancel)).OrThrow()
            .Items.Where(movement => movement.Text("orderId") == id).ToList();
        var held = (await client.GetAsync(ServiceNames.Stock, $"/reservations?orderId={id}", cancel)).OrThrow().Items.Count();
        output.Mark(
            held == 1 && movements.Sum(movement => movement.Whole("allocatedDelta")) == line.Whole("quantity"),
            $"{held} reservation, allocated in {movements.Count} movement: {line.Text("quantity")} × {line.Text("sku")}.");
        var payment = (await client.GetAsync(ServiceNames.Customer, $"/payments/{id}", cancel)).OrThrow().Body;
        var amount = Money.Format(payment.Whole("amount") ?? 0, payment.Text("currency"));
        foreach (var (operation, noun) in new[]
        {
            (GatewayOperations.Authorize, "authorization"), (GatewayOperations.Capture, "capture"),
        })
        {
            var count = payment.Items("attempts").Count(attempt => attempt.Text("operation") == operation);
            output.Mark(count == 1, $"{count} {noun} of {amount}.");
        }
    }

    static async Task<int> FollowIncidentAsync(ApiClient client, Output output, string id, CancellationToken cancel)
    {
        while (true)
        {
            var saga = (await client.GetAsync(ServiceNames.Coordinator, $"/sagas/{id}", cancel)).OrThrow().Body;
            if (saga.Text("state") == SagaStates.Failed)
            {
                output.Mark(false, saga.Text("summary"));
                output.Line(
                    $"To resolve it: ./orderwright resolve {id} {saga.Text("step")} completed --reason 'refunded manually'");
                return Exit.Ok;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }
    }
}
