using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>Follows an order, and prints each step of its process as the coordinator reports progress.</summary>
sealed class StepWatch(ApiClient client, Output output)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Prints steps until the order is decided and its process has ended, including a capture after the decision. Returns the
    /// exit code for the outcome.
    /// </summary>
    public async Task<int> FollowAsync(string orderId, TimeSpan limit, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var shown = new HashSet<string>();
        while (true)
        {
            var order = (await client.GetAsync(ServiceNames.Order, $"/orders/{orderId}", cancel)).OrThrow().Body;
            var saga = (await client.GetAsync(ServiceNames.Coordinator, $"/sagas/{orderId}", cancel)).RequireReply();
            if (saga.IsSuccess) ShowSteps(saga.Body, shown);
            var isDecided = order.Text("status") is not (OrderStatuses.Pending or OrderStatuses.CancelPending);
            if (isDecided && (!saga.IsSuccess || HasEnded(saga.Body, order))) return End(order);
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                if (isDecided) return End(order);
                output.ShowJson(order);
                output.Mark(
                    null, $"{orderId} is still {order.Text("status")}; to keep following, run ./orderwright watch {orderId}.");
                return Exit.TimedOut;
            }
            await Task.Delay(Interval, cancel);
        }
    }

    // A captured payment reaches the order a moment after the process completes.
    static bool HasEnded(JsonElement saga, JsonElement order) => saga.Text("state") switch
    {
        SagaStates.Running or SagaStates.Waiting or SagaStates.Compensating => false,
        SagaStates.Completed => order.Text("paymentStatus") != PaymentStatuses.Authorized
            || !saga.Items("timeline").Any(step =>
                step.Text("step") == StepNames.CapturePayment && step.Text("phase") == StepStates.Completed),
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
            var name = NameOf(step);
            var phase = step.Text("phase");
            if (!shown.Add($"{name} {phase}")) continue;
            var details = new[] { Duration(step), step.TextOrNull("code"), step.TextOrNull("action") }.OfType<string>();
            output.Mark(
                phase switch
                {
                    StepStates.Completed => true,
                    StepStates.Rejected or StepStates.GivenUp or StepStates.Stuck => false,
                    _ => null,
                },
                $"{name,-22} {phase} {string.Join(", ", details)}".TrimEnd());
        }
    }

    /// <summary>Name of a step, or of the undo of a step.</summary>
    public static string NameOf(JsonElement step) => $"{(step.Flag("undo") ? "undo " : "")}{step.Text("step")}";

    static string? Duration(JsonElement step) =>
        step.Text("phase") is not StepStates.Asked
        && step.Time("firstSentAt") is { } sent && step.Time("answeredAt") is { } answered
            ? $"{(answered - sent).TotalMilliseconds:0} ms"
            : null;
}
