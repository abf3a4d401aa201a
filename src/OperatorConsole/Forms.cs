using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.OperatorConsole.Pages;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>Draws a page; with a status and a trouble when a form was refused.</summary>
delegate Task ShowPage(HttpContext http, SitePage page, string? key, int status = 200, string? trouble = null);

/// <summary>Looks at an address as a visitor.</summary>
delegate Visit LookAt(HttpContext http, string at, string? key, CancellationToken cancel);

/// <summary>The call that a form makes, and the page to show then.</summary>
/// <param name="Back">With <c>{id}</c> for the answer's id; null for the page that the answer names.</param>
sealed record FormCall(string Service, string Path, JsonObject Body, string? Back, bool Replaces = false);

/// <summary>What the pages' forms do: come in, leave, act on an order, note an incident, replay a dead letter.</summary>
sealed class Forms(Sessions sessions, PageRenderer renderer, Apis apis, LookAt look, ShowPage show)
{
    public void Map(IEndpointRouteBuilder site)
    {
        site.MapGet("/login", http => LoginAsync(http, StatusCodes.Status200OK, null));
        site.MapPost("/login", ComeInAsync);
        site.MapPost("/logout", http => WithFormAsync(http, _ =>
        {
            Sessions.Forget(http);
            http.Response.Redirect("/login");
            return Task.CompletedTask;
        }));
        site.MapPost("/orders/{id}/act", http => SubmitAsync(http, (visit, form) =>
        {
            var act = Act.Of(visit);
            return new(act.Service, act.Path, act.Body(form["reason"].ToString()), $"/orders/{visit.Id}");
        }));
        site.MapPost("/demo/{name}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator,
            $"/demo/{visit.Id}{(form["after"] is [{ Length: > 0 } after] ? $"?after={Uri.EscapeDataString(after)}" : "")}", [],
            Back: null)));
        site.MapPost("/incidents/{id}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, $"/incidents/{visit.Id}",
            NotePage.Body(form["owner"].ToString(), form["note"].ToString()), "/incidents", Replaces: true)));
        site.MapPost("/bulk", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, "/bulk-actions",
            BulkPage.Body(visit, form["reason"].ToString(), form["canary"].ToString()), "/bulk/{id}")));
        site.MapPost("/bulk/{id}", http => SubmitAsync(http, (visit, form) => new(
            ServiceNames.Coordinator, $"/bulk-actions/{visit.Id}/stop",
            new JsonObject { ["reason"] = form["reason"].ToString() }, $"/bulk/{visit.Id}")));
        site.MapPost("/dead-letters/{id}", http => SubmitAsync(http, (visit, form) => new(
            ReplayPage.ServiceOf(visit), $"/dead-letters/{visit.Id}/replay",
            new JsonObject { ["reason"] = form["reason"].ToString() }, "/dead-letters")));
    }

    async Task LoginAsync(HttpContext http, int status, string? trouble)
    {
        if (!sessions.HasKeys)
        {
            http.Response.Redirect("/");
            return;
        }
        var visit = look(http, http.Request.Path + http.Request.QueryString.Value, null, http.RequestAborted)
            with { Trouble = trouble };
        await ConsoleSite.WriteAsync(http, status, await renderer.LoginAsync(visit));
    }

    Task ComeInAsync(HttpContext http) => WithFormAsync(http, async form =>
    {
        var key = form["key"].ToString().Trim();
        var probe = key.Length is > 0 and < 128 && key.All(char.IsAscii)
            ? await apis.As(key, http.RequestAborted).GetAsync(ServiceNames.Coordinator, "/overview")
            : null;
        if (probe is not { IsSuccess: true })
        {
            await LoginAsync(http, StatusCodes.Status401Unauthorized, probe?.Error ?? "That is no key.");
            return;
        }
        sessions.Remember(http, key);
        var to = http.Request.Query["to"].ToString();
        http.Response.Redirect(Site.Find(to.Split('?')[0]) is null ? "/" : to);
    });

    Task SubmitAsync(HttpContext http, Func<Visit, IFormCollection, FormCall> read) =>
        sessions.EnterAsync(http, key => WithFormAsync(http, async form =>
        {
            var at = http.Request.Path + http.Request.QueryString.Value;
            var visit = look(http, at, key, http.RequestAborted);
            var (service, path, body, back, replaces) = read(visit, form);
            var reply = await visit.Api.SendAsync(
                replaces ? HttpMethod.Put : HttpMethod.Post, service, path, body,
                form["key"] is [{ Length: > 0 } once] ? once : null);
            if (reply.IsSuccess)
                http.Response.Redirect(
                    back is null ? reply.Body.Text("look")
                    : $"{back.Replace("{id}", reply.Body.Text("id"), StringComparison.Ordinal)}?done="
                        + Uri.EscapeDataString(reply.Body.TextOrNull("auditId") ?? "1"));
            else
                await show(
                    http, Site.Find(visit.Path) ?? Site.Pages[0], key,
                    reply.Status == 0 ? StatusCodes.Status502BadGateway : reply.Status,
                    reply.Error);
        }));

    static async Task WithFormAsync(HttpContext http, Func<IFormCollection, Task> act)
    {
        if (await Sessions.ReadFormAsync(http) is { } form) await act(form);
        else
            await Problem.Of(
                StatusCodes.Status400BadRequest, "foreign_form", "This form does not come from a page of this console.")
                .ExecuteAsync(http);
    }
}
