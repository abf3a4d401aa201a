using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// <c>why</c>, <c>incidents</c>, <c>note</c>, <c>retry</c>, <c>compensate</c> and <c>resolve</c>: find stuck orders and repair
/// them. Every repair needs a reason, is audited, and can be previewed with <c>--preview</c>.
/// </summary>
static class OperatorCommands
{
    public static Command Why()
    {
        var id = CommonOptions.Order();
        var json = CommonOptions.Json();
        var command = new Command("why", "Explain what an order is waiting for.") { id, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel);
            var saga = (await client.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel)).OrThrow().Body;
            var payment = await PaymentAttention.PaymentAsync(client, orderId, cancel);
            output.ShowJson(saga, "paymentDetails", payment);
            output.Line(saga.Text("summary"));
            if (payment is { } found)
            {
                if (InDoubt.Sentence(found) is { } doubt) output.Line(doubt);
                if (PaymentAttention.Sentence(found) is { } sentence) output.Line(sentence);
            }
            if (Recommendation.For(saga) is { } recommended) Recommend(output, recommended, orderId, saga);
            output.Table(
                ["step", "phase", "attempts#", "first sent", "replied", "reason"],
                saga.Items("timeline").Select(step => new[]
                {
                    StepWatch.NameOf(step), step.Text("phase"), step.Text("attempts"), step.Text("firstSentAt"),
                    step.Text("answeredAt"), $"{step.Text("code")} {step.Text("message")}".Trim(),
                }));
            return Exit.Ok;
        });
        return command;
    }

    public static Command Incidents()
    {
        var step = new Option<string?>("--step") { Description = "Filter by step." };
        var code = new Option<string?>("--code") { Description = "Filter by reason code." };
        var limit = CommonOptions.Limit(50);
        var (watch, json) = (CommonOptions.Watch(), CommonOptions.Json());
        var command = new Command("incidents", "List open incidents, and payments that need attention.")
        {
            step, code, limit, watch, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var query = $"/incidents?limit={parsed.GetValue(limit)}";
            if (parsed.GetValue(step) is { } onlyStep) query += $"&step={Uri.EscapeDataString(onlyStep)}";
            if (parsed.GetValue(code) is { } onlyCode) query += $"&code={Uri.EscapeDataString(onlyCode)}";
            return await CommonOptions.ShowAsync(parsed.GetValue(watch), output, ShowAsync, cancel);

            async Task ShowAsync()
            {
                var page = (await client.GetAsync(ServiceNames.Coordinator, query, cancel)).OrThrow();
                var isFiltered = parsed.GetValue(step) is not null || parsed.GetValue(code) is not null;
                var payments = isFiltered ? null : await PaymentAttention.ListAsync(client, parsed.GetValue(limit), cancel);
                output.ShowJson(page.Body, "payments", payments);
                if (!page.Items.Any()) output.Mark(true, "No incident is open.");
                else
                    output.Table(
                        ["order", "customer", "total#", "step", "stuck since", "code", "recommended", "message", "owner"],
                        page.Items.Select(incident => new[]
                        {
                            output.Id(incident.Text("orderId")), incident.Text("customerId"),
                            OrderCommands.Price(incident.Whole("total"), incident), StepWatch.NameOf(incident),
                            output.Age(incident.Text("stuckAt")), incident.Text("code"),
                            Recommendation.For(incident)!.Verb, incident.Text("message"),
                            incident.Part("note")?.Text("owner") ?? "",
                        }),
                        "customer", "message", "owner", "total#");
                if (page.NextCursor is not null)
                    output.Line($"Only the first {parsed.GetValue(limit)} are shown; use --limit for up to 200.");
                if (!isFiltered) PaymentAttention.Show(output, payments);
            }
        });
        return command;
    }

    public static Command Note()
    {
        var id = CommonOptions.Order();
        var owner = new Option<string?>("--owner") { Description = "Owner of the incident; \"\" to clear." };
        var note = new Option<string?>("--note") { Description = "Findings; \"\" to clear." };
        var json = CommonOptions.Json();
        var command = new Command("note", "Set the owner of an incident, and note findings.") { id, owner, note, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var orderId = await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel);
            var saga = (await client.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel)).OrThrow().Body;
            var body = new JsonObject();
            // The call replaces the whole note, so an option that is left out repeats the present text.
            foreach (var (name, given) in new[] { ("owner", parsed.GetValue(owner)), ("note", parsed.GetValue(note)) })
                if ((given ?? saga.Part("note")?.TextOrNull(name)) is { Length: > 0 } text) body[name] = text;
            var written = (await client.SendAsync(
                HttpMethod.Put, ServiceNames.Coordinator, $"/incidents/{orderId}", cancel, body)).OrThrow().Body;
            output.ShowJson(written);
            output.Mark(true, $"Owner: {written.TextOrNull("owner") ?? "nobody"}. {written.Text("note")}".Trim());
            return Exit.Ok;
        });
        return command;
    }

    public static Command Retry() => Repair("retry", "Resend all outstanding commands of one order or of many, now.");

    public static Command Compensate() =>
        Repair("compensate", "Compensate one unconfirmed order or many, without waiting for stuck steps.");

    public static Command Resolve()
    {
        var id = CommonOptions.Order();
        var step = new Argument<string>("step") { Description = "Outstanding step; if its undo is outstanding, the undo." };
        var outcome = new Argument<string>("outcome") { Description = "Outcome to record." };
        outcome.AcceptOnlyFromAmong(StepStates.Completed, StepStates.Rejected);
        var (reason, preview, json) = (CommonOptions.Reason(), CommonOptions.Preview(), CommonOptions.Json());
        var reference = new Option<string?>("--reference")
        {
            Description = "The gateway's id of the payment, if the payment was made.",
        };
        var command = new Command("resolve", "Record the outcome of a step that is in doubt.")
        {
            id, step, outcome, reason, reference, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var body = new JsonObject
            {
                ["step"] = parsed.GetValue(step), ["outcome"] = parsed.GetValue(outcome), ["reason"] = parsed.GetValue(reason),
            };
            if (parsed.GetValue(reference) is { } known) body["reference"] = known;
            return await OperateAsync(
                client, new Output(parsed.GetValue(json)), await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel),
                "resolve", parsed.GetValue(preview), body, cancel);
        });
        return command;
    }

    static Command Repair(string verb, string description)
    {
        var id = CommonOptions.Order();
        id.Arity = ArgumentArity.ZeroOrOne;
        var (reason, preview, json) = (CommonOptions.Reason(), CommonOptions.Preview(), CommonOptions.Json());
        var where = new Option<string?>("--where")
        {
            Description = "Filter that selects many orders instead of one, such as "
                + "\"state=failed&step=…&code=…&waitingFor=…&olderThan=PT15M&youngerThan=PT1H\".",
        };
        var canary = CommonOptions.Canary();
        var command = new Command(verb, description) { id, reason, where, canary, preview, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(id) is null == result.GetValue(where) is null)
                result.AddError("Name either one order, or many with --where.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            if (parsed.GetValue(where) is { } query)
                return await new BulkAction(client, output).RunAsync(
                    BulkAction.Body(verb, query, parsed.GetValue(reason)!, parsed.GetValue(canary)), parsed.GetValue(preview),
                    cancel);
            var orderId = await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel);
            return await OperateAsync(
                client, output, orderId, verb, parsed.GetValue(preview), new() { ["reason"] = parsed.GetValue(reason) }, cancel);
        });
        return command;
    }

    static async Task<int> OperateAsync(
        ApiClient client, Output output, string orderId, string verb, bool preview, JsonObject body, CancellationToken cancel)
    {
        var effect = (await client.PostAsync(
            ServiceNames.Coordinator, $"/sagas/{orderId}/{verb}{(preview ? "?preview=true" : "")}", body, cancel,
            preview ? null : ApiClient.NewKey(verb))).OrThrow().Body;
        output.ShowJson(effect);
        if (preview) await ShowRealEffectAsync(client, output, orderId, RepairOf(verb, body, effect), cancel);
        if (effect.TextOrNull("requestedBy") is null) ShowEffect(output, orderId, effect, preview);
        else ApprovalsCommand.ShowWaiting(output, effect);
        return Exit.Ok;
    }

    /// <summary>Prints the effect of an action in the real world, as the console shows it.</summary>
    public static async Task ShowRealEffectAsync(
        ApiClient client, Output output, string orderId, Repair repair, CancellationToken cancel)
    {
        if (output.IsJson) return;
        var effect = RepairEffect.Of(
            repair, await OrderFacts.LoadAsync((service, path) => client.GetAsync(service, path, cancel), orderId));
        output.Line(effect.Text);
        if (effect.Gateway is { } gateway) output.Line($"Gateway: {gateway}.");
    }

    // The coordinator says whether the step or its undo is outstanding.
    static Repair RepairOf(string verb, JsonObject body, JsonElement effect) => new(
        verb, (string?)body["step"], (string?)body["outcome"], effect.Flag("undo"));

    static void Recommend(Output output, Recommendation recommended, string orderId, JsonElement saga)
    {
        var stuck = saga.Items("timeline").LastOrDefault(step => step.Text("phase") == StepStates.Stuck);
        output.Line($"Recommended: {recommended.Verb}. {recommended.Reason}");
        output.Line($"  {recommended.CommandFor(orderId, saga.Text("step"), stuck.Flag("undo"))}");
        output.Line($"  Runbook: {recommended.Runbook}");
    }

    /// <summary>Prints the effect of an action, or of its preview: the state before and after, and the messages.</summary>
    public static void ShowEffect(Output output, string subject, JsonElement effect, bool preview)
    {
        var (before, after) = (effect.Part("before"), effect.Part("after"));
        output.Line($"{subject}: {before?.Text("state")} → {after?.Text("state")}{(preview ? " (preview)" : "")}");
        if (effect.TextOrNull("warning") is { } warning) output.Mark(null, warning);
        foreach (var message in effect.Items("messages"))
            output.Mark(
                preview ? null : true,
                $"{(preview ? "would send" : "sent")} {message.Text("type")} to {message.Text("destination")}"
                + (message.TextOrNull("step") is { } step ? $" ({step}, attempt {message.Text("attempt")})" : ""));
        if (after?.TextOrNull("summary") is { } summary) output.Line(summary);
    }
}
