using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orderwright.OperatorConsole.Parts;

namespace Orderwright.OperatorConsole;

/// <summary>Renders components to HTML with encoded values. A renderer lives for one page, so visits share no state.</summary>
sealed class PageRenderer(ILoggerFactory logs)
{
    readonly IServiceProvider services = new ServiceCollection().BuildServiceProvider();

    /// <summary>Renders a page within its frame.</summary>
    public Task<string> RenderPageAsync(SitePage page, Visit visit) =>
        RenderAsync(typeof(Frame), new() { [nameof(Frame.Page)] = page, [nameof(Frame.Visit)] = visit });

    /// <summary>Renders a page without its frame, for live updates.</summary>
    public Task<string> RenderMainAsync(SitePage page, Visit visit) =>
        RenderAsync(page.Component, new() { [nameof(PageBase.Visit)] = visit });

    public Task<string> RenderLoginAsync(Visit visit, SignInChoices choices) =>
        RenderPageAsync(new SitePage("/login", "Sign in", typeof(Pages.LoginPage)), visit with { SignIn = choices });

    async Task<string> RenderAsync(Type component, Dictionary<string, object?> parameters)
    {
        await using var renderer = new HtmlRenderer(services, logs);
        return await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync(component, ParameterView.FromDictionary(parameters))).ToHtmlString());
    }
}

/// <summary>Base of pages: loads data first, then renders once.</summary>
public abstract class PageBase : ComponentBase
{
    [Parameter, EditorRequired]
    public required Visit Visit { get; set; }

    protected Api Api => Visit.Api;

    public sealed override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        try
        {
            await LoadAsync();
        }
        finally
        {
            Visit.Loaded.TrySetResult();
        }
        if (IsNotFound) Visit.IsNotFound = true;
        StateHasChanged();
    }

    protected virtual Task LoadAsync() => Task.CompletedTask;

    /// <summary>The address names nothing that exists. Evaluated after loading.</summary>
    protected virtual bool IsNotFound => false;
}
