using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>
/// <c>why</c>, <c>incidents</c>, <c>retry</c>, <c>compensate</c> and <c>resolve</c>: what is stuck, and what to do
/// about it. Whatever changes something needs a reason, shows with <c>--preview</c> what it would send, and is audited.
/// </summary>
static class OperatorCommands
{
    static readonly string[] Outcomes = ["completed", "rejected"];

    public static Command Why()
    {
        var id = OrderCommands.IdOrReference();
        var json = Output.JsonOption();
        var command = new Command("why", "What an order waits for and why, in a sentence; and its steps.") { id, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(api, parsed.GetValue(id)!, cancel);
            var saga = (await api.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel)).OrThrow().Body;
            var payment = await MoneyToSeeTo.PaymentAsync(api, orderId, cancel);
            output.ShowJson(saga, "paymentDetails", payment);
            output.Line(saga.Text("summary"));
            if (payment is { } its && MoneyToSeeTo.Sentence(its) is { } money) output.Line(money);
            output.Table(
                ["step", "phase", "asked#", "first asked", "answered", "why"],
                saga.Items("timeline").Select(step => new[]
                {
                    $"{(step.Text("undo") == "true" ? "undo " : "")}{step.Text("step")}", step.Text("phase"),
                    step.Text("attempts"), step.Text("firstSentAt"), step.Text("answeredAt"),
                    $"{step.Text("code")} {step.Text("message")}".Trim(),
                }));
            return Exit.Ok;
        });
        return command;
    }

    public static Command Incidents()
    {
        var step = new Option<string?>("--step") { Description = "Only those of one step." };
        var code = new Option<string?>("--code") { Description = "Only those with one code." };
        var limit = new Option<int>("--limit") { Description = "How many, 1 to 200.", DefaultValueFactory = _ => 50 };
        var json = Output.JsonOption();
        var command = new Command("incidents", "What needs a person.") { step, code, limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var query = $"/incidents?limit={parsed.GetValue(limit)}";
            if (parsed.GetValue(step) is { } only) query += $"&step={Uri.EscapeDataString(only)}";
            if (parsed.GetValue(code) is { } why) query += $"&code={Uri.EscapeDataString(why)}";
            var page = (await api.GetAsync(ServiceNames.Coordinator, query, cancel)).OrThrow().Body;
            var isNarrowed = parsed.GetValue(step) is not null || parsed.GetValue(code) is not null;
            var payments = isNarrowed ? null : await MoneyToSeeTo.ListAsync(api, parsed.GetValue(limit), cancel);
            output.ShowJson(page, "payments", payments);
            if (!page.Items().Any()) output.Mark(true, "No incident is open.");
            else
                output.Table(
                    ["order", "customer", "total#", "stuck at", "since", "code", "message", "minded by"],
                    page.Items().Select(incident => new[]
                    {
                        incident.Text("orderId"), incident.Text("customerId"),
                        OrderCommands.Price(incident.Whole("total"), incident),
                        $"{(incident.Text("undo") == "true" ? "undo " : "")}{incident.Text("step")}",
                        incident.Text("stuckAt"), incident.Text("code"), incident.Text("message"),
                        incident.Part("note")?.Text("owner") ?? "",
                    }));
            if (page.TextOrNull("nextCursor") is not null)
                output.Line($"These are the first {parsed.GetValue(limit)}; --limit shows up to 200.");
            if (!isNarrowed) MoneyToSeeTo.Show(output, payments);
            return Exit.Ok;
        });
        return command;
    }

    public static Command Note()
    {
        var id = OrderCommands.IdOrReference();
        var owner = new Option<string?>("--owner") { Description = "Who minds it; \"\" for nobody." };
        var note = new Option<string?>("--note") { Description = "What was found out; \"\" for nothing." };
        var json = Output.JsonOption();
        var command = new Command("note", "Say who minds an incident, and what they found out.") { id, owner, note, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(api, parsed.GetValue(id)!, cancel);
            var saga = (await api.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel)).OrThrow().Body;
            var body = JsonBody.Of(writer =>
            {
                // What is not said stays as it is.
                foreach (var (name, said) in new[] { ("owner", parsed.GetValue(owner)), ("note", parsed.GetValue(note)) })
                    if ((said ?? saga.Part("note")?.TextOrNull(name)) is { Length: > 0 } text) writer.WriteString(name, text);
            });
            var written = (await api.SendAsync(
                HttpMethod.Put, ServiceNames.Coordinator, $"/incidents/{orderId}", body, cancel)).OrThrow().Body;
            output.ShowJson(written);
            output.Mark(true, $"{written.TextOrNull("owner") ?? "Nobody"} minds it. {written.Text("note")}".Trim());
            return Exit.Ok;
        });
        return command;
    }

    public static Command Retry() => Act("retry", "Ask everything outstanding again, now.");

    public static Command Compensate() => Act("compensate", "Undo everything, without waiting for what is stuck.");

    public static Command Resolve()
    {
        var id = OrderCommands.IdOrReference();
        var step = new Argument<string>("step") { Description = "Which step, or its undo, whichever is outstanding." };
        var outcome = new Argument<string>("outcome") { Description = "completed or rejected." };
        outcome.AcceptOnlyFromAmong(Outcomes);
        var (reason, preview, json) = Common();
        reason.Required = true;
        var reference = new Option<string?>("--reference")
        {
            Description = "Of a payment that was made: the gateway's id of it.",
        };
        var command = new Command("resolve", "Say what became of a step that its participant cannot tell.")
        {
            id, step, outcome, reason, reference, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(api, parsed.GetValue(id)!, cancel);
            return await ActAsync(api, output, orderId, "resolve", parsed.GetValue(preview), writer =>
            {
                writer.WriteString("step", parsed.GetValue(step));
                writer.WriteString("outcome", parsed.GetValue(outcome));
                writer.WriteString("reason", parsed.GetValue(reason));
                if (parsed.GetValue(reference) is { } known) writer.WriteString("reference", known);
            }, cancel);
        });
        return command;
    }

    static Command Act(string verb, string description)
    {
        var id = OrderCommands.IdOrReference();
        id.Arity = ArgumentArity.ZeroOrOne;
        var (reason, preview, json) = Common();
        reason.Required = true;
        var where = new Option<string?>("--where")
        {
            Description = "Many orders instead of one: "
                + "\"state=failed&step=…&code=…&waitingFor=…&olderThan=PT15M&youngerThan=PT1H\".",
        };
        var canary = new Option<int>("--canary")
        {
            Description = "With --where: how many first; the others follow if all of these go on.",
            DefaultValueFactory = _ => 10,
        };
        var command = new Command(verb, description) { id, reason, where, canary, preview, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(id) is null == result.GetValue(where) is null)
                result.AddError("Name an order, or say which by --where; one of the two.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            if (parsed.GetValue(where) is { } query)
                return await new BulkAction(api, output).RunAsync(
                    verb, query, parsed.GetValue(reason)!, parsed.GetValue(canary), parsed.GetValue(preview), cancel);
            var orderId = await OrderCommands.IdOfAsync(api, parsed.GetValue(id)!, cancel);
            return await ActAsync(
                api, output, orderId, verb, parsed.GetValue(preview),
                writer => writer.WriteString("reason", parsed.GetValue(reason)), cancel);
        });
        return command;
    }

    public static (Option<string> Reason, Option<bool> Preview, Option<bool> Json) Common() => (
        new("--reason") { Description = "Why; it stands in the audit." },
        new("--preview") { Description = "Say what it would do and send, and do nothing." }, Output.JsonOption());

    static async Task<int> ActAsync(
        Api api, Output output, string orderId, string verb, bool preview, Action<Utf8JsonWriter> body,
        CancellationToken cancel)
    {
        var answer = await api.SendAsync(
            HttpMethod.Post, ServiceNames.Coordinator, $"/sagas/{orderId}/{verb}{(preview ? "?preview=true" : "")}",
            JsonBody.Of(body), cancel, key: preview ? null : $"{verb}-{Guid.NewGuid():N}");
        var told = answer.OrThrow().Body;
        output.ShowJson(told);
        Tell(output, orderId, told, preview);
        return Exit.Ok;
    }

    /// <summary>What an action does, or would do: how it stood, how it stands, and the messages.</summary>
    public static void Tell(Output output, string what, JsonElement told, bool preview)
    {
        var (before, after) = (told.Part("before"), told.Part("after"));
        output.Line($"{what}: {before?.Text("state")} → {after?.Text("state")}{(preview ? " (nothing was done)" : "")}");
        if (told.TextOrNull("warning") is { } warning) output.Mark(null, warning);
        foreach (var message in told.Items("messages"))
            output.Mark(
                preview ? null : true,
                $"{(preview ? "would send" : "sent")} {message.Text("type")} to {message.Text("destination")}"
                + (message.TextOrNull("step") is { } step ? $" ({step}, attempt {message.Text("attempt")})" : ""));
        if (after?.TextOrNull("summary") is { } summary) output.Line(summary);
    }
}
