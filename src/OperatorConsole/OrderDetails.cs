using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http.Approvals;
using Orderwright.OperatorConsole.Parts;

namespace Orderwright.OperatorConsole;

/// <summary>Replies of every service about one order.</summary>
public sealed class OrderDetails
{
    public required ApiReply Saga { get; init; }
    public required ApiReply Definition { get; init; }
    public required ApiReply Order { get; init; }
    public required ApiReply Events { get; init; }
    public required ApiReply Fulfilments { get; init; }
    public required ApiReply Payment { get; init; }
    public required ApiReply Reservation { get; init; }
    public required MergedList DeadLetters { get; init; }
    public required MergedList Audit { get; init; }

    /// <summary>Operations on the order that wait for a second person.</summary>
    public required MergedList Approvals { get; init; }

    /// <summary>Time of the page, for durations that have not ended.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Event or operator action of an order.</summary>
    public sealed record HistoryEntry(DateTimeOffset? At, string Event, string Actor, string? Reason, string? TraceId);

    public static async Task<OrderDetails> LoadAsync(Visit visit)
    {
        var (api, id) = (visit.Api, Uri.EscapeDataString(visit.Id));
        var saga = api.GetAsync(ServiceNames.Coordinator, $"/sagas/{id}");
        var order = api.GetAsync(ServiceNames.Order, $"/orders/{id}");
        var events = api.GetAsync(ServiceNames.Order, $"/orders/{id}/events");
        var fulfilments = api.GetAsync(ServiceNames.Order, $"/orders/{id}/fulfilments?limit=200");
        var payment = api.GetAsync(ServiceNames.Customer, $"/payments/{id}");
        var reservation = api.GetAsync(ServiceNames.Stock, $"/reservations?orderId={id}");
        var deadLetters = api.ListDeadLettersAsync($"?orderId={id}");
        var audit = api.ListAuditAsync($"?orderId={id}");
        var approvals = api.ListApprovalsAsync($"?orderId={id}&state={ApprovalStates.Pending}");
        // The order's own version: the process may have changed since.
        var version = (await saga).Body.Part("definition")?.TextOrNull("version");
        return new()
        {
            Saga = await saga,
            Definition = await api.GetAsync(
                ServiceNames.Coordinator, version is null ? "/sagas/definition" : $"/sagas/definition?version={version}"),
             Order = await order, Events = await events,
            Fulfilments = await fulfilments, Payment = await payment, Reservation = await reservation,
            DeadLetters = await deadLetters, Audit = await audit, Approvals = await approvals, Now = visit.Now,
        };
    }

    public bool IsNotFound =>
        (Saga.IsNotFound && Order.IsNotFound) || (Saga.Status == 400 && Order.Status == 400);

    public string OrderId => Saga.Body.TextOrNull("orderId") ?? Order.Body.Text("id");

    /// <summary>Steps of the process and their undos, in the order of their first command.</summary>
    public IEnumerable<JsonElement> Timeline => Saga.Body.Items("timeline");

    public bool IsOpen => Saga.Body.Time("endedAt") is null;

    /// <summary>Payment in doubt in a sentence; null for any other payment.</summary>
    public string? Doubt => IsOpen || Payment.Body.Text("state") is PaymentStates.Capturing or PaymentStates.Refunding
        or PaymentStates.Voiding ? InDoubt.Sentence(Payment.Body) : null;

    /// <summary>The recommended action of an incident; null for any other order.</summary>
    public Recommendation? Recommended => Saga.IsSuccess ? Recommendation.For(Saga.Body) : null;

    /// <summary>Tone of the summary. A payment or a step in doubt outranks the state of a process that runs.</summary>
    public string Tone => Words.Tone(
        Saga.Body.Text("state") != SagaStates.Failed && (Doubt is not null || Timeline.Any(IsStepInDoubt))
            ? StepStates.InDoubt : Saga.Body.Text("state"));

    /// <summary>
    /// State of a step. From the first second without an answer of the gateway a payment step is in doubt, before the process
    /// knows.
    /// </summary>
    public string PhaseOf(JsonElement step) => IsStepInDoubt(step) ? StepStates.InDoubt : step.Text("phase");

    bool IsStepInDoubt(JsonElement step)
    {
        if (step.Text("phase") == StepStates.InDoubt) return true;
        if (step.Text("phase") != StepStates.Asked || InDoubt.AttemptOf(Payment.Body) is not { } attempt) return false;
        var (name, undo) = (step.Text("step"), step.Flag("undo"));
        return attempt.Text("operation") switch
        {
            GatewayOperations.Authorize => name == StepNames.AuthorizePayment,
            GatewayOperations.Capture => name == StepNames.CapturePayment,
            _ => name == StepNames.AuthorizePayment && undo,
        };
    }

    public string Currency => Order.Body.Text("currency");

    public static bool IsOutstanding(JsonElement step) =>
        step.Text("phase") is StepStates.Asked or StepStates.Waiting or StepStates.InDoubt;

    /// <summary>Time from the first command to the reply, or until now; null before the command and after a lost reply.</summary>
    public TimeSpan? DurationOf(JsonElement step) =>
        step.Time("firstSentAt") is not { } from ? null
        : IsOutstanding(step) ? Now - from
        : step.Time("answeredAt") - from;

    /// <summary>Buttons of the page; the recommended action first.</summary>
    public IEnumerable<(string Text, string Href, bool IsPrimary)> Actions()
    {
        var all = AllActions().ToList();
        var first = Recommended?.Verb switch
        {
            Repair.Resolve => all.FindIndex(action => action.Text.StartsWith("Resolve", StringComparison.Ordinal)),
            Repair.Cancel => all.FindIndex(action => action.Href == OrderAction.AddressOf(OrderId, OrderAction.Cancel)),
            { } verb => all.FindIndex(action => action.Href == OrderAction.AddressOf(OrderId, verb)),
            null => -1,
        };
        return all.Select((action, index) => (action.Text, action.Href, IsPrimary: index == first))
            .OrderByDescending(action => action.IsPrimary);
    }

    IEnumerable<(string Text, string Href)> AllActions()
    {
        var saga = Saga.Body;
        if (IsOpen) yield return ("Retry now…", OrderAction.AddressOf(OrderId, OrderAction.Retry));
        if (IsOpen && CanCompensate) yield return ("Compensate…", OrderAction.AddressOf(OrderId, OrderAction.Compensate));
        if (saga.Text("state") == SagaStates.Failed && saga.Part("note") is null)
            yield return ("Add note…", $"/incidents/{OrderId}");
        if (Order.Body.TextOrNull("status") is OrderStatuses.Pending or OrderStatuses.Confirmed
            && Order.Body.Text("fulfilmentStatus") == FulfilmentStatuses.Unfulfilled)
            yield return ("Cancel the order…", OrderAction.AddressOf(OrderId, OrderAction.Cancel));
        foreach (var step in Timeline.Where(
            step => step.Text("phase") is StepStates.Stuck or StepStates.InDoubt or StepStates.Waiting))
        {
            var outcome = OrderAction.OnlyOutcomeOf(step);
            yield return (
                $"Resolve {Words.Step(step)}{(outcome is null ? "" : $" as {outcome}")}…",
                OrderAction.AddressOf(OrderId, step, outcome));
        }
    }

    // Where everything is being undone already, compensating only gives up a stuck step.
    bool CanCompensate => Saga.Body.Part("reason") is null
        ? !Saga.Body.Flag("confirmed")
        : Timeline.Any(step => !step.Flag("undo") && step.Text("phase") == StepStates.Stuck);

    /// <summary>Box of a step in the picture of the process.</summary>
    public ProcessPicture.Step Draw(JsonElement definition)
    {
        var name = definition.Text("name");
        var (step, undo) = (Find(name, undo: false), Find(name, undo: true));
        var phase = step is { } done ? PhaseOf(done) : null;
        var undoPhase = undo is { } undone ? PhaseOf(undone) : null;
        var tone = undoPhase == StepStates.Stuck ? "bad"
            : undoPhase == StepStates.Completed || phase is null || Words.Tone(phase) == "off" ? ""
            : Words.Tone(phase);
        var duration = step is { } sent && DurationOf(sent) is { } span
            ? $" {(IsOutstanding(sent) ? "for" : "in")} {Words.Span(span)}" : "";
        List<(string, string?)> lines = [(phase is null ? "not started" : Words.State(phase) + duration, null)];
        if (step?.Whole("attempts") is { } attempts and > 0) lines.Add((Words.Count(attempts, "attempt"), "#steps"));
        var undoLine = undoPhase switch
        {
            null => definition.TextOrNull("undo"),
            StepStates.Completed => "undone",
            _ => $"undo {Words.State(undoPhase)}",
        };
        return new(
            name, lines, tone, undoLine, definition.Flag("pivot"), undoPhase is null ? "" : Words.Tone(undoPhase));
    }

    public string Spoken => "Process of this order: " + string.Join(
        ", ", Timeline.Select(step => $"{Words.Step(step)} {Words.State(PhaseOf(step))}"));

    /// <summary>Bars and ticks of the timeline.</summary>
    public IEnumerable<SwimLanes.Bar> Bars()
    {
        foreach (var step in Timeline)
            if (step.Time("firstSentAt") is { } from)
            {
                var to = IsOutstanding(step) ? Now : step.Time("answeredAt") ?? Saga.Body.Time("updatedAt") ?? from;
                if (to < from) to = from;
                var (name, span) = (Words.Step(step), Words.Span(to - from));
                yield return new(
                    step.Text("participant"), from, to, Words.Tone(PhaseOf(step)), $"{name}, {span}",
                    $"{name}: {Words.State(PhaseOf(step))}, {span}");
            }
        foreach (var item in Events.Items)
            if (item.Time("at") is { } at)
                yield return new(
                    ServiceNames.Order, at, at, Words.Tone(item.Text("status")), Words.State(item.Text("type")),
                    $"{Words.State(item.Text("type"))} by {item.Text("actor")}");
        foreach (var entry in Audit.Items)
            if (entry.Time("at") is { } at)
                yield return new(
                    entry.Text("service"), at, at, "wait", entry.Text("action"),
                    $"{entry.Text("action")} by {entry.Text("actor")}: {entry.Text("reason")}");
    }

    /// <summary>Events and operator actions in order of time.</summary>
    public IEnumerable<HistoryEntry> History()
    {
        var events = Events.Items.Select(item => new HistoryEntry(
            item.Time("at"), Words.State(item.Text("type")), PeopleOf(item),
            $"{item.Part("data")?.TextOrNull("code")} {item.Part("data")?.TextOrNull("message")}".Trim(),
            item.TextOrNull("traceId")));
        var actions = Audit.Items.Select(entry => new HistoryEntry(
            entry.Time("at"), $"{entry.Text("action")} {entry.TextOrNull("subject")}".Trim(), entry.Text("actor"),
            entry.Text("reason"), entry.TextOrNull("traceId")));
        return events.Concat(actions).OrderBy(entry => entry.At);
    }

    static string PeopleOf(JsonElement item) => item.Part("data")?.TextOrNull("approvedBy") is { } second
        ? $"{item.Text("actor")}, approved by {second}" : item.Text("actor");

    JsonElement? Find(string step, bool undo) =>
        Timeline.Where(item => item.Text("step") == step && item.Flag("undo") == undo)
            .Select(item => (JsonElement?)item).LastOrDefault();
}
