using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.StepService;

/// <summary>
/// Replies that participants send on their own: <c>POST /api/v1/sagas/{orderId}/steps/{step}</c>, authenticated by signature. A
/// reply counts while its step is outstanding; a repeated or late one changes nothing.
/// </summary>
/// <param name="secrets">Secrets of the participants.</param>
/// <param name="isKnown">True for a step with a participant of that kind.</param>
/// <param name="exists">True for an order with a saga.</param>
/// <param name="calls">Records the reply.</param>
/// <param name="time">Time of the receipt.</param>
public sealed class StepReplyApi(
    StepSecrets secrets, Func<string, bool> isKnown, Func<Guid, CancellationToken, Task<bool>> exists, StepCalls calls,
    TimeProvider time)
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/sagas/{orderId}/steps/{step}", PostAsync).WithName("replyToStep").WithTags("sagas")
            .WithSummary("Reply of a participant to a step that waits, signed as Standard Webhooks")
            .OpenToAll(CallBudget.Webhook).Accepts<StepReplyRequest>("application/json")
            .Header("webhook-id", "Id of the message.").Header("webhook-timestamp", "Seconds since 1970.", "^[0-9]+$")
            .Header("webhook-signature", "Signatures of Standard Webhooks.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status401Unauthorized);

    async Task<IResult> PostAsync(string orderId, string step, HttpContext http)
    {
        var (id, invalid) = RouteId.Read(orderId, "orderId");
        if (id is null) return invalid!;
        if (!isKnown(step)) return Problem.NotFound("step");
        var body = await ReadAsync(http);
        if (body is null)
            return Problem.Of(
                StatusCodes.Status413PayloadTooLarge, ProblemCodes.BodyTooLarge,
                $"The body exceeds {ParticipantReply.MaxBytes} bytes.");
        var (known, fault) = secrets.Of(step);
        if ((fault ?? WebhookSignature.Refuse(known, http.Request.Headers, body, time.Now())) is { } refusal)
            return Problem.Of(
                StatusCodes.Status401Unauthorized, ProblemCodes.BadSignature,
                fault is null ? refusal : "No secret is configured.");
        var (answer, unreadable) = Read(body, id.Value, step);
        if (answer is null) return Problem.Invalid("", ParticipantReply.Invalid, unreadable!);
        if (!await exists(id.Value, http.RequestAborted)) return Problem.NotFound("saga");
        await calls.RecordAsync(id.Value, step, answer);
        return new Answer(StatusCodes.Status204NoContent, default, null);
    }

    // The signature covers the body and not the address, so the body names the order, the step and the action.
    static (StepAnswered? Answer, string? Fault) Read(byte[] body, Guid orderId, string step)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var reply = document.RootElement;
            if (reply.ValueKind != JsonValueKind.Object) return (null, "The reply is not a JSON object.");
            if (!reply.TryGetProperty("orderId", out var id) || !id.TryGetGuidText(out var about) || about != orderId)
                return (null, "\"orderId\" is required: the order of the address.");
            if (!reply.TryGetProperty("step", out var name) || name.ValueKind != JsonValueKind.String || !name.ValueEquals(step))
                return (null, "\"step\" is required: the step of the address.");
            return reply.TryGetProperty("action", out var action) && action.ValueKind == JsonValueKind.String
                && action.GetString() is StepCall.Do or StepCall.UndoAction
                    ? ParticipantReply.Read(reply, action.ValueEquals(StepCall.UndoAction))
                    : (null, "\"action\" is required: do or undo.");
        }
        catch (JsonException)
        {
            return (null, "The reply is not JSON.");
        }
    }

    static async Task<byte[]?> ReadAsync(HttpContext http)
    {
        if (http.Request.ContentLength > ParticipantReply.MaxBytes) return null;
        using var body = new MemoryStream();
        var chunk = new byte[8_192];
        for (int read; (read = await http.Request.Body.ReadAsync(chunk, http.RequestAborted)) > 0;)
        {
            if (body.Length + read > ParticipantReply.MaxBytes) return null;
            body.Write(chunk, 0, read);
        }
        return body.ToArray();
    }
}

/// <summary>Reply of a participant, for the description of the API.</summary>
/// <param name="OrderId">The order of the address.</param>
/// <param name="Step">The step of the address.</param>
/// <param name="Action"><c>do</c> or <c>undo</c>.</param>
/// <param name="Outcome"><c>completed, rejected, retry, waiting, indoubt</c>.</param>
/// <param name="Code">Small letters, digits and underscores.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Detail">Object of at most 4 kB, passed to later steps.</param>
/// <param name="After">With <c>retry</c>: pause, such as <c>30s</c>.</param>
public sealed record StepReplyRequest(
    Guid OrderId, string Step, [OneOf(StepCall.Do, StepCall.UndoAction)] string Action,
    [OneOf("completed", "rejected", "retry", "waiting", "indoubt")] string Outcome,
    [RegularExpression("^[a-z0-9_]{1,64}$")] string? Code = null, [MaxLength(ParticipantReply.MaxMessage)] string? Message = null,
    JsonElement? Detail = null, string? After = null);

static class JsonElements
{
    public static bool TryGetGuidText(this JsonElement element, out Guid id)
    {
        id = default;
        return element.ValueKind == JsonValueKind.String && element.TryGetGuid(out id);
    }
}
