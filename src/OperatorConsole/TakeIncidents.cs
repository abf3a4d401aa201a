using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.OperatorConsole.Pages;

namespace Orderwright.OperatorConsole;

/// <summary>Makes a visitor the owner of incidents that nobody owns. Notes stay as they are.</summary>
static class TakeIncidents
{
    /// <summary>Incidents taken at once; a group with more is taken in several steps.</summary>
    public const int Most = 200;

    /// <summary>Takes the incident that the address names.</summary>
    /// <returns>The refusal in a sentence, with its status; null if taken.</returns>
    public static async Task<(int Status, string Error)?> OneAsync(Visit visit, IFormCollection form)
    {
        var saga = await visit.Api.GetAsync(ServiceNames.Coordinator, $"/sagas/{Uri.EscapeDataString(visit.Id)}");
        if (!saga.IsSuccess) return RefusalOf(saga);
        return OwnerOf(saga.Body) is { } owner && owner != visit.Person
            ? (StatusCodes.Status409Conflict, $"{owner} has taken this incident.")
            : await TakeAsync(visit, visit.Id, saga.Body);
    }

    /// <summary>Takes the incidents of the form's step and code that nobody owns.</summary>
    public static async Task<(int Status, string Error)?> GroupAsync(Visit visit, IFormCollection form)
    {
        var list = await visit.Api.GetAsync(
            ServiceNames.Coordinator,
            $"/incidents?limit={Most}&step={Uri.EscapeDataString(form["step"].ToString())}"
                + $"&code={Uri.EscapeDataString(form["code"].ToString())}");
        if (!list.IsSuccess) return RefusalOf(list);
        foreach (var incident in list.Items.Where(incident => OwnerOf(incident) is null))
        {
            // A conflict means that the incident was resolved meanwhile.
            var refusal = await TakeAsync(visit, incident.Text("orderId"), incident);
            if (refusal is var (status, _) && status != StatusCodes.Status409Conflict) return refusal;
        }
        return null;
    }

    /// <summary>Owner of an incident, from a reply with its note; null for nobody.</summary>
    public static string? OwnerOf(JsonElement incident) => incident.Part("note")?.TextOrNull("owner");

    static async Task<(int, string)?> TakeAsync(Visit visit, string orderId, JsonElement incident)
    {
        var reply = await visit.Api.SendAsync(
            HttpMethod.Put, ServiceNames.Coordinator, $"/incidents/{Uri.EscapeDataString(orderId)}",
            NotePage.Body(visit.Person, incident.Part("note")?.TextOrNull("note") ?? ""), idempotencyKey: null);
        return reply.IsSuccess ? null : RefusalOf(reply);
    }

    static (int, string) RefusalOf(ApiReply reply) =>
        (reply.Status == 0 ? StatusCodes.Status502BadGateway : reply.Status, reply.Error!);
}
