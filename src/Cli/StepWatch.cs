using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>Follows one order: each step of its process ticks as the coordinator knows it.</summary>
sealed class StepWatch(Api api, Output output)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Shows each step once it has moved, then the order when it is decided and its process is over, with the capture that may
    /// come after the decision; the exit code says how it ended.
    /// </summary>
    public async Task<int> FollowAsync(string orderId, TimeSpan limit, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var shown = new HashSet<string>();
        while (true)
        {
            var order = (await api.GetAsync(ServiceNames.Order, $"/orders/{orderId}", cancel)).OrThrow().Body;
            var saga = await api.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel);
            if (saga.IsSuccess) ShowSteps(saga.Body, shown);
            var decided = order.Text("status") is not (OrderStatuses.Pending or OrderStatuses.CancelPending);
            if (decided && (!saga.IsSuccess || IsOver(saga.Body, order))) return End(order);
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                if (decided) return End(order);
                output.ShowJson(order);
                output.Mark(null, $"{orderId} is still {order.Text("status")}: ./orderwright watch {orderId} goes on.");
                return Exit.TimedOut;
            }
            await Task.Delay(Interval, cancel);
        }
    }

    // What was taken last has reached the order, too: its payment was authorized when it was confirmed.
    static bool IsOver(JsonElement saga, JsonElement order) => saga.Text("state") switch
    {
        "running" or "waiting" or "compensating" => false,
        "completed" => order.Text("paymentStatus") != PaymentStatuses.Authorized
            || !saga.Items("timeline").Any(step =>
                step.Text("step") == StepNames.CapturePayment && step.Text("phase") == "completed"),
        _ => true,
    };

    int End(JsonElement order)
    {
        output.ShowJson(order);
        var status = order.Text("status");
        var good = status is OrderStatuses.Confirmed or OrderStatuses.Completed;
        var total = order.Whole("total") is { } minor
            ? $", {Money.Format(minor, order.Text("currency"))} {order.Text("paymentStatus")}" : "";
        var why = order.Part("reason") is { } reason ? $": {reason.Text("code")}, {reason.Text("message")}" : "";
        output.Mark(good, $"{order.Text("id")} {status}{(good ? total : why)}");
        return good || status == OrderStatuses.Cancelled ? Exit.Ok : Exit.Refused;
    }

    void ShowSteps(JsonElement saga, HashSet<string> shown)
    {
        foreach (var step in saga.Items("timeline"))
        {
            var name = $"{(step.Text("undo") == "true" ? "undo " : "")}{step.Text("step")}";
            var phase = step.Text("phase");
            if (!shown.Add($"{name} {phase}")) continue;
            var details = new[] { Took(step), step.TextOrNull("code"), step.TextOrNull("action") }.OfType<string>();
            output.Mark(
                phase switch { "completed" => true, "rejected" or "given_up" or "stuck" => false, _ => null },
                $"{name,-22} {phase} {string.Join(", ", details)}".TrimEnd());
        }
    }

    static string? Took(JsonElement step) =>
        step.Text("phase") is not "asked" && step.TryGetProperty("firstSentAt", out var sent)
        && step.TryGetProperty("answeredAt", out var answered)
        && sent.ValueKind == JsonValueKind.String && answered.ValueKind == JsonValueKind.String
            ? $"{(answered.GetDateTimeOffset() - sent.GetDateTimeOffset()).TotalMilliseconds:0} ms"
            : null;
}
