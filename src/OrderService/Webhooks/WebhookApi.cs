using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Endpoints of outgoing webhooks and their deliveries over HTTP: <c>/api/v1/webhook-endpoints</c>.</summary>
public sealed class WebhookApi(
    WebhookStore store, CommandGroup<WebhookChange> changes, SignedCaller client, ReceiverNetworks networks, EventFeed feed,
    ServiceContext context)
{
    /// <summary>Deliveries that one request makes wait again.</summary>
    public const int MostRedeliveries = 10_000;

    public const int MaxUrl = 2_000;
    public const int MaxTypes = 10;
    public const int MaxDescription = 200;
    public const int MaxOverlapHours = 168;

    public void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = routes.MapGroup("/api/v1/webhook-endpoints").WithTags("webhooks").Require(Scopes.OrdersRead);
        endpoints.MapPost("", (Delegate)AddAsync).Require(Scopes.Orders).WithName("addWebhookEndpoint")
            .WithSummary("Add an endpoint that receives the events from now on")
            .WithDescription(
                "The response contains the secret, which no later response repeats. Messages are signed as defined by " +
                "Standard Webhooks, sent at least once, and in order for each order. 409 `too_many_endpoints`.")
            .Accepts<EndpointRequest>("application/json").Produces<EndpointResponse>(201).HasVersion();
        endpoints.MapGet("", (Delegate)ListAsync).WithName("listWebhookEndpoints").Lists()
            .WithSummary("List the endpoints of the caller's channels").Produces<Page<EndpointResponse>>();
        endpoints.MapGet("/{id}", GetAsync).WithName("getWebhookEndpoint")
            .WithSummary("Get an endpoint with its lag").Produces<EndpointResponse>().HasVersion();
        endpoints.MapPatch("/{id}", UpdateAsync).Require(Scopes.Orders).WithName("updateWebhookEndpoint")
            .WithSummary("Change, disable or enable an endpoint")
            .WithDescription("An enabled endpoint continues where it stopped: no event is lost.")
            .Accepts<EndpointPatch>("application/json").Produces<EndpointResponse>().Conditional();
        endpoints.MapDelete("/{id}", RemoveAsync).Require(Scopes.Orders).WithName("removeWebhookEndpoint")
            .WithSummary("Remove an endpoint and its log").Produces(204).Conditional();
        endpoints.MapPost("/{id}/rotate-secret", RotateAsync).Require(Scopes.Orders).WithName("rotateWebhookSecret")
            .WithSummary("Replace the secret; both secrets sign during the overlap")
            .Accepts<RotationRequest>("application/json").Produces<EndpointResponse>().Conditional();
        endpoints.MapPost("/{id}/test", TestAsync).Require(Scopes.Orders).WithName("testWebhookEndpoint")
            .WithSummary("Send a test message and return the receiver's response").Produces<TestResponse>();
        endpoints.MapPost("/{id}/redeliver", RedeliverRangeAsync).Require(Scopes.Orders).WithName("redeliverWebhooks")
            .WithSummary("Send the events of a range again, at most 10,000")
            .Accepts<RedeliveryRequest>("application/json").Produces<RedeliveryResponse>(202);
        endpoints.MapGet("/{id}/deliveries", DeliveriesAsync).WithName("listWebhookDeliveries")
            .Lists("state", "orderId").Query("state", DeliveryStates.All)
            .WithSummary("List an endpoint's deliveries, newest first").Produces<Page<DeliveryResponse>>();
        endpoints.MapGet("/{id}/deliveries/{deliveryId}", DeliveryAsync).WithName("getWebhookDelivery")
            .WithSummary("Get a delivery with its body").Produces<DeliveryDetailResponse>();
        endpoints.MapPost("/{id}/deliveries/{deliveryId}/redeliver", RedeliverAsync).Require(Scopes.Orders)
            .WithName("redeliverWebhook")
            .WithSummary("Send an event again").Produces<RedeliveryResponse>(202);
    }

    async Task<IResult> AddAsync(HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, OrderJson.Default.EndpointRequest);
        if (command is null) return refusal!;
        var request = command.Body;
        var caller = command.Caller;
        var check = CheckValues(new Check(), request.Url, request.Types, request.Description)
            .OptionalText("/channel", request.Channel, Check.MaxIdLength);
        if (request.Secret is { } secret) CheckSecret(check, secret);
        if (check.Refusal is { } invalid) return invalid;
        var channel = request.Channel ?? caller.Channels.Default;
        if (!caller.Channels.Contains(channel))
            return Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.ChannelNotGranted, $"The key does not reach the channel {channel}.");
        var horizon = await feed.HorizonAsync(http.RequestAborted);
        return await changes.SubmitAsync(command.For<EndpointRequest, WebhookChange>(new WebhookChange.Add(
            request, channel == ChannelSet.Any ? null : channel, horizon)));
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var after = Guid.Empty;
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out after)) return Problem.InvalidCursor;
        var found = await store.ListAsync(
            context.Database, Caller.Of(http).Channels, after, query.Limit + 1, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(found.ConvertAll(EndpointResponse.Of), query.Limit, endpoint => endpoint.Id.ToString("D")),
            OrderJson.Default.PageEndpointResponse);
    }

    async Task<IResult> GetAsync(HttpContext http, string id)
    {
        var (endpoint, refusal) = await FindAsync(http, id);
        if (endpoint is null) return refusal!;
        var (waiting, since) = await store.LagAsync(context.Database, endpoint, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, EndpointResponse.Of(endpoint) with { Waiting = waiting, PendingSince = since },
            OrderJson.Default.EndpointResponse, version: endpoint.Version);
    }

    async Task<IResult> UpdateAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } endpointId) return malformed!;
        var (command, refusal) = await Commands.ReadAsync(http, OrderJson.Default.EndpointPatch);
        if (command is null) return refusal!;
        var patch = command.Body;
        var check = CheckValues(new Check(), patch.Url, patch.Types, patch.Description);
        if (patch.State is { } state) check.OneOf("/state", state, EndpointStates.All);
        return check.Refusal ?? await changes.SubmitAsync(command.For<EndpointPatch, WebhookChange>(
            new WebhookChange.Update(endpointId, patch, Precondition.Read(http))));
    }

    async Task<IResult> RotateAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } endpointId) return malformed!;
        var (command, refusal) = await Commands.ReadAsync(http, OrderJson.Default.RotationRequest);
        if (command is null) return refusal!;
        var check = new Check().Range("/overlapHours", command.Body.OverlapHours, 0, MaxOverlapHours);
        if (command.Body.Secret is { } secret) CheckSecret(check, secret);
        return check.Refusal ?? await changes.SubmitAsync(command.For<RotationRequest, WebhookChange>(
            new WebhookChange.Rotate(endpointId, command.Body, Precondition.Read(http))));
    }

    Task<IResult> RemoveAsync(HttpContext http, string id) =>
        SubmitAsync(http, id, endpointId => new WebhookChange.Remove(endpointId, Precondition.Read(http)));

    async Task<IResult> RedeliverAsync(HttpContext http, string id, string deliveryId)
    {
        var (routeId, malformed) = RouteId.Read(deliveryId, "deliveryId");
        return routeId is { } delivery
            ? await SubmitAsync(http, id, endpointId => new WebhookChange.Redeliver(endpointId, delivery))
            : malformed!;
    }

    async Task<IResult> RedeliverRangeAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } endpointId) return malformed!;
        var (command, refusal) = await Commands.ReadAsync(http, OrderJson.Default.RedeliveryRequest);
        if (command is null) return refusal!;
        var check = new Check().Range("/after", command.Body.After, 0, long.MaxValue);
        if (command.Body.State is { } state) check.OneOf("/state", state, DeliveryStates.All);
        return check.Refusal ?? await changes.SubmitAsync(command.For<RedeliveryRequest, WebhookChange>(
            new WebhookChange.RedeliverRange(endpointId, command.Body)));
    }

    async Task<IResult> SubmitAsync(HttpContext http, string id, Func<Guid, WebhookChange> change)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } endpointId) return malformed!;
        var (command, refusal) = Commands.WithoutBody(http, change(endpointId));
        return command is null ? refusal! : await changes.SubmitAsync(command);
    }

    async Task<IResult> TestAsync(HttpContext http, string id)
    {
        var (endpoint, refusal) = await FindAsync(http, id);
        if (endpoint is null) return refusal!;
        var now = context.Time.Now();
        var message = WebhookTest.Of(endpoint, context.Ids.Next(now), now);
        var attempt = await client.SendAsync(endpoint.Url, endpoint.Secrets.At(now), message, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, new TestResponse(attempt.Succeeded, message.Id, AttemptResponse.Of(attempt)),
            OrderJson.Default.TestResponse);
    }

    async Task<IResult> DeliveriesAsync(HttpContext http, string id)
    {
        var query = new ListQuery(http, "state", "orderId");
        var state = query.OneOf("state", DeliveryStates.All);
        var orderId = query.Id("orderId");
        if (query.Refusal is { } invalid) return invalid;
        var before = long.MaxValue;
        if (query.Position is { } position
            && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problem.InvalidCursor;
        var (endpoint, refusal) = await FindAsync(http, id);
        if (endpoint is null) return refusal!;
        var found = await store.DeliveriesAsync(
            context.Database, endpoint.Id, before, state, orderId, query.Limit + 1, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                found.ConvertAll(DeliveryResponse.Of), query.Limit,
                delivery => delivery.Seq.ToString(CultureInfo.InvariantCulture)),
            OrderJson.Default.PageDeliveryResponse);
    }

    async Task<IResult> DeliveryAsync(HttpContext http, string id, string deliveryId)
    {
        var (routeId, malformed) = RouteId.Read(deliveryId, "deliveryId");
        if (routeId is not { } wanted) return malformed!;
        var (endpoint, refusal) = await FindAsync(http, id);
        if (endpoint is null) return refusal!;
        if (await store.FindDeliveryAsync(context.Database, endpoint.Id, wanted, http.RequestAborted) is not { } found)
            return Problem.NotFound("delivery");
        var message = WebhookPayload.Of(found.Event);
        return Answer.Json(
            StatusCodes.Status200OK,
            new DeliveryDetailResponse(
                DeliveryResponse.Of(found.Delivery), message.Id, Encoding.UTF8.GetString(message.Body.Span)),
            OrderJson.Default.DeliveryDetailResponse);
    }

    async Task<(WebhookEndpoint? Endpoint, Answer? Refusal)> FindAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } endpointId) return (null, malformed);
        var endpoint = await store.FindAsync(
            context.Database, endpointId, Caller.Of(http).Channels, http.RequestAborted);
        return (endpoint, endpoint is null ? Problem.NotFound("webhook endpoint") : null);
    }

    Check CheckValues(Check check, string? url, IReadOnlyList<string>? types, string? description)
    {
        if (url is not null && !IsUrl(url))
            check.Fail(
                "/url", ErrorCodes.InvalidUrl,
                $"An absolute https address of at most {MaxUrl} characters, without user name or fragment" +
                (networks.AllowsPlainHttp ? "; http into an allowed network." : "."));
        if (types is [] || (types is not (null or [WebhookRules.AllTypes])
            && (types.Count > MaxTypes || types.Any(type => !OrderEventTypes.All.Contains(type)))))
            check.Fail(
                "/types", ErrorCodes.UnknownValue, $"[\"*\"], or some of: {string.Join(", ", OrderEventTypes.All)}.");
        return check.OptionalText("/description", description, MaxDescription);
    }

    bool IsUrl(string text) =>
        text.Length <= MaxUrl && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && networks.AllowsPlainHttp))
        && url.UserInfo.Length == 0 && url.Fragment.Length == 0;

    static void CheckSecret(Check check, string secret)
    {
        if (!WebhookSignature.IsSecret(secret))
            check.Fail("/secret", ErrorCodes.InvalidSecret, "whsec_ and the base64 of 24 to 64 bytes.");
    }
}
