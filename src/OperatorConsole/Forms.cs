using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.OperatorConsole.Pages;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Visitors;

namespace Orderwright.OperatorConsole;

/// <summary>Renders a page; with a status and an error after a refused form.</summary>
delegate Task ShowPage(HttpContext http, SitePage page, string? key, int status = 200, string? error = null);

/// <summary>Creates the visit of an address.</summary>
delegate Visit NewVisit(HttpContext http, string at, string? key, CancellationToken cancel);

/// <summary>API call of a submitted form, and the page that follows.</summary>
/// <param name="Service">The service to call.</param>
/// <param name="Path">Path of the call.</param>
/// <param name="Body">Body of the call.</param>
/// <param name="Next">Next page, with <c>{id}</c> for the id in the reply; null for the page named by the reply.</param>
/// <param name="Method">Method of the call; null for POST.</param>
/// <param name="Done">Value of <c>done</c> on the next page; null for the id of the audit record.</param>
sealed record FormCall(
    string Service, string Path, JsonObject? Body, string? Next, HttpMethod? Method = null,
    Func<ApiReply, string>? Done = null);

/// <summary>Handlers of the pages' forms: signing in and out, and every action of an operator.</summary>
sealed class Forms(Sessions sessions, PageRenderer renderer, Apis apis, NewVisit newVisit, ShowPage show)
{
    public void Map(IEndpointRouteBuilder site)
    {
        site.MapGet("/login", http => LoginAsync(http, StatusCodes.Status200OK, null));
        site.MapPost("/login", SignInAsync);
        site.MapPost("/logout", http => WithFormAsync(http, async _ =>
        {
            await sessions.Visitors.SignOutAsync(http);
            http.Response.Redirect("/login");
        }));
        site.MapPost("/orders/{id}/act", http => SubmitAsync(http, (visit, form) =>
        {
            var action = OrderAction.Of(visit);
            return new(action.Service, action.Path, action.Body(form["reason"].ToString(), form["reference"].ToString()),
                $"/orders/{visit.Id}");
        }));
        site.MapPost("/approvals/{id}", http => SubmitAsync(http, (visit, form) => ApprovalPage.CallOf(
            visit, form["verdict"].ToString(), form["reason"].ToString())));
        site.MapPost("/demo/{name}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator,
            $"/demo/{visit.Id}{(form["after"] is [{ Length: > 0 } after] ? $"?after={Uri.EscapeDataString(after)}" : "")}", [],
            Next: null)));
        site.MapPost("/incidents/{id}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, $"/incidents/{visit.Id}",
            NotePage.Body(form["owner"].ToString(), form["note"].ToString()), "/incidents", HttpMethod.Put)));
        site.MapPost("/incidents/{id}/take", http => TakeAsync(http, TakeIncidents.OneAsync));
        site.MapPost("/incidents/take", http => TakeAsync(http, TakeIncidents.GroupAsync));
        site.MapPost("/bulk", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, "/bulk-actions",
            BulkPage.Body(visit, form["reason"].ToString(), form["canary"].ToString()), "/bulk/{id}")));
        site.MapPost("/bulk/{id}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, $"/bulk-actions/{visit.Id}/stop",
            new JsonObject { ["reason"] = form["reason"].ToString() }, $"/bulk/{visit.Id}")));
        site.MapPost("/webhooks/{id}", http => SubmitAsync(http, (visit, form) => WebhookPage.CallOf(
            visit.Id, form["action"].ToString(), form["delivery"].ToString())));
        site.MapPost("/dead-letters/{id}", http => SubmitAsync(http, (visit, form) => new(
            ReplayPage.ServiceOf(visit), $"/dead-letters/{visit.Id}/replay",
            new JsonObject { ["reason"] = form["reason"].ToString() }, "/dead-letters")));
    }

    async Task LoginAsync(HttpContext http, int status, string? error)
    {
        if (!sessions.Visitors.AreNeeded)
        {
            http.Response.Redirect("/");
            return;
        }
        var visit = newVisit(http, http.Request.Path + http.Request.QueryString.Value, null, http.RequestAborted)
            with { Error = error };
        await ConsoleSite.WriteAsync(http, status, await renderer.RenderLoginAsync(visit, Choices(http)));
    }

    Task SignInAsync(HttpContext http) => WithFormAsync(http, async form =>
    {
        var key = form["key"].ToString().Trim();
        var attempt = sessions.Visitors.TakesKeys && key.Length is > 0 and < 128 && key.All(char.IsAscii)
            ? await apis.As(key, http.RequestAborted).GetAsync(ServiceNames.Coordinator, "/overview")
            : null;
        if (attempt is not { IsSuccess: true })
        {
            await LoginAsync(http, StatusCodes.Status401Unauthorized, attempt?.Error ?? "The key is malformed.");
            return;
        }
        sessions.Visitors.SignIn(http, key);
        http.Response.Redirect(NextOf(http));
    });

    static string NextOf(HttpContext http) =>
        http.Request.Query["to"].ToString() is var to && Site.Find(to.Split('?')[0]) is not null ? to : "/";

    // Without TLS, a browser elsewhere would drop the session's cookie.
    SignInChoices Choices(HttpContext http) => new(
        sessions.Visitors.TakesKeys, sessions.Visitors.SignOns, NextOf(http),
        NeedsTls: !http.Request.IsHttps && !VisitorSessions.IsLoopback(http.Request.Host));

    Task SubmitAsync(HttpContext http, Func<Visit, IFormCollection, FormCall> read) =>
        sessions.AuthenticateAsync(http, key => WithFormAsync(http, async form =>
        {
            var at = http.Request.Path + http.Request.QueryString.Value;
            var visit = newVisit(http, at, key, http.RequestAborted);
            var (service, path, body, next, method, done) = read(visit, form);
            var reply = await visit.Api.SendAsync(
                method ?? HttpMethod.Post, service, path, body,
                form["key"] is [{ Length: > 0 } idempotencyKey] ? idempotencyKey : null);
            if (reply is { IsSuccess: true, Status: StatusCodes.Status202Accepted } && IsWaiting(reply.Body))
                http.Response.Redirect(ApprovalsPage.AddressOf(reply.Body));
            else if (reply.IsSuccess)
                http.Response.Redirect(
                    next is null ? reply.Body.Text("look")
                    : $"{next.Replace("{id}", reply.Body.Text("id"), StringComparison.Ordinal)}?done="
                        + Uri.EscapeDataString(done?.Invoke(reply) ?? reply.Body.TextOrNull("auditId") ?? "1"));
            else
                await show(
                    http, Site.Find(visit.Path) ?? Site.Pages[0], key,
                    reply.Status == 0 ? StatusCodes.Status502BadGateway : reply.Status,
                    reply.Error);
        }));

    // Leads to the incidents, whatever page the button was on.
    Task TakeAsync(HttpContext http, Func<Visit, IFormCollection, Task<(int Status, string Error)?>> take) =>
        sessions.AuthenticateAsync(http, key => WithFormAsync(http, async form =>
        {
            var visit = newVisit(http, http.Request.Path + http.Request.QueryString.Value, key, http.RequestAborted);
            if (await take(visit, form) is var (status, error))
                await show(http, Site.Find("/incidents")!, key, status, error);
            else
                http.Response.Redirect("/incidents?done=1");
        }));

    // A second person has to approve first.
    static bool IsWaiting(JsonElement body) =>
        body.TextOrNull("state") == ApprovalStates.Pending && body.Time("expiresAt") is not null;

    static async Task WithFormAsync(HttpContext http, Func<IFormCollection, Task> handle)
    {
        if (await Sessions.ReadFormAsync(http) is { } form) await handle(form);
        else
            await Problem.Of(
                StatusCodes.Status400BadRequest, "foreign_form", "The form was not sent by a page of this console.")
                .ExecuteAsync(http);
    }
}
