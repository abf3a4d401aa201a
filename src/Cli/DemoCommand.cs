using System.CommandLine;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>
/// <c>demo</c>: lets something happen in the demo shop of <c>./orderwright dev</c>, tells it step by step, and says where to
/// look.
/// </summary>
static class DemoCommand
{
    static readonly string[] Names = ["decline", "out-of-stock", "gateway-timeout", "refund-fails", "crash", "reset"];
    static readonly string[] Steps =
        [StepNames.ReserveStock, StepNames.AuthorizePayment, StepNames.CommitStock, StepNames.CapturePayment];
    static readonly TimeSpan ComesBackWithin = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var name = new Argument<string>("what") { Description = string.Join(", ", Names) + "." };
        name.AcceptOnlyFromAmong(Names);
        var after = new Option<string>("--after")
        {
            Description = "With crash: right after which step the process dies.", DefaultValueFactory = _ => "authorize",
        };
        after.AcceptOnlyFromAmong([.. Steps.Select(Short)]);
        var command = new Command("demo", "Let something happen in the demo shop, and see what becomes of it.") { name, after };
        command.SetAction((parsed, cancel) =>
        {
            var step = Steps.Single(one => Short(one) == parsed.GetValue(after));
            return RunAsync(parsed.GetValue(name)!, step, new Output(json: false), cancel);
        });
        return command;
    }

    static string Short(string step) => step.Split('-')[0];

    static async Task<int> RunAsync(string name, string after, Output output, CancellationToken cancel)
    {
        var api = await Api.ConnectAsync(cancel);
        try
        {
            var path = name == "crash" ? $"/demo/crash?after={after}" : $"/demo/{name}";
            var answer = await api.SendAsync(HttpMethod.Post, ServiceNames.Coordinator, path, JsonBody.Of(_ => { }), cancel);
            if (answer.Status == 404)
                throw new ToolException(Exit.Failed, "There is no demo here: it is for ./orderwright dev, without --no-demo.");
            var begun = answer.OrThrow().Body;
            output.Line(begun.Text("story"));
            if (begun.TextOrNull("orderId") is not { } id)
            {
                output.Mark(true, $"Done. {Api.BaseAddress.GetLeftPart(UriPartial.Authority)}{begun.Text("look")}");
                return Exit.Ok;
            }
            output.Line($"Order {id}: {Api.BaseAddress.GetLeftPart(UriPartial.Authority)}{begun.Text("look")}");
            if (name == "crash") api = await DieAndComeBackAsync(api, output, cancel);
            if (name == "refund-fails") return await FollowIncidentAsync(api, output, id, cancel);
            // To be refused is what some of these are for.
            var ended = await new StepWatch(api, output).FollowAsync(id, ComesBackWithin, cancel);
            if (name == "crash") await CountAsync(api, output, id, cancel);
            return ended == Exit.Refused && name is "decline" or "out-of-stock" ? Exit.Ok : ended;
        }
        finally
        {
            api.Dispose();
        }
    }

    static async Task<Api> DieAndComeBackAsync(Api api, Output output, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await api.GetAsync(ServiceNames.Coordinator, "/overview", cancel);
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancel);
            }
        }
        catch (ToolException)
        {
            output.Mark(false, "The process is dead.");
        }
        api.Dispose();
        var back = await Api.ConnectAsync(cancel, ComesBackWithin);
        output.Mark(true, "It is back, and asks for everything that is outstanding.");
        return back;
    }

    // From what the participants themselves wrote down: the ledger of the goods, the attempts at the gateway.
    static async Task CountAsync(Api api, Output output, string id, CancellationToken cancel)
    {
        var line = (await api.GetAsync(ServiceNames.Order, $"/orders/{id}", cancel)).OrThrow().Body.Items("lines").Single();
        var moved = (await api.GetAsync(ServiceNames.Stock, $"/stock/{line.Text("sku")}/movements", cancel)).OrThrow().Body
            .Items().Where(movement => movement.Text("orderId") == id).ToList();
        var held = (await api.GetAsync(ServiceNames.Stock, $"/reservations?orderId={id}", cancel)).OrThrow().Body.Items().Count();
        output.Mark(
            held == 1 && moved.Sum(movement => movement.Whole("allocatedDelta")) == line.Whole("quantity"),
            $"{held} reservation, allocated in {moved.Count} movement: {line.Text("quantity")} × {line.Text("sku")}.");
        var payment = (await api.GetAsync(ServiceNames.Customer, $"/payments/{id}", cancel)).OrThrow().Body;
        var amount = Money.Format(payment.Whole("amount") ?? 0, payment.Text("currency"));
        foreach (var (operation, noun) in new[] { ("authorize", "authorization"), ("capture", "capture") })
        {
            var count = payment.Items("attempts").Count(attempt => attempt.Text("operation") == operation);
            output.Mark(count == 1, $"{count} {noun} of {amount}.");
        }
    }

    static async Task<int> FollowIncidentAsync(Api api, Output output, string id, CancellationToken cancel)
    {
        while (true)
        {
            var saga = (await api.GetAsync(ServiceNames.Coordinator, $"/sagas/{id}", cancel)).OrThrow().Body;
            if (saga.Text("state") == "failed")
            {
                output.Mark(false, saga.Text("summary"));
                output.Line($"Mend it: ./orderwright resolve {id} {saga.Text("step")} completed --reason 'paid back by hand'");
                return Exit.Ok;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }
    }
}
